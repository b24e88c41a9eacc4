#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// One record of the journal beside the blobs (docs/formats/index.md): what something is now, or, of what changes more
// than itself, what was done. Names are those of the time of its event.
struct IndexRecord {
    enum class Kind : std::uint8_t {
        segment,        // the first of each; `flag`: it goes on where the one before ended
        position,       // all events up to `sequence` have been read; `at` is that event's time
        manifest,       // `name` holds `digest`: `media_type`, `bytes`, pushed by `user_id`
        manifest_gone,  // with its tags
        tag,            // `tag` of `name` points at `digest`
        tag_gone,
        repository_gone,     // with all that it held
        repository_renamed,  // from `name` into `into`
        project,             // `name` is there, `flag`: public, owned by `user_id`
        project_renamed,
        project_gone,   // with all that it held
        name_given_up,  // the former name `into` that the project `name` kept
    };
    Kind kind = Kind::position;
    std::int64_t sequence = 0;  // of the event
    Micros at = 0;              // its time
    std::string name{};
    std::string into{};
    std::string tag{};
    std::string digest{};
    std::string media_type{};
    std::string bytes{};
    std::int64_t user_id = 0;
    bool flag = false;

    bool operator==(const IndexRecord&) const = default;

    // Doing it a second time, later, may do something else.
    bool is_structural() const noexcept { return kind >= Kind::repository_gone; }
};

void append_record(std::string& segment, const IndexRecord& record);

// Reads a segment's records from its start. What is damaged is passed over up to the next whole record; what is behind
// the last one is torn. Pure; ends whatever the bytes are.
class IndexReader {
public:
    explicit IndexReader(std::string_view segment) noexcept : rest_{segment} {}

    std::optional<IndexRecord> next();
    // Bytes in the middle that were no records; and those behind the last one. After next() has answered nullopt.
    std::uint64_t damaged() const noexcept { return damaged_; }
    std::uint64_t torn() const noexcept { return torn_; }

private:
    std::string_view rest_;
    std::uint64_t damaged_ = 0;
    std::uint64_t torn_ = 0;
};

}  // namespace entrepot
