#pragma once

#include "events/audit/audit_format.hpp"
#include "ports/audit_store.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The record lines of one chain, one after another, newest or oldest first, read in pieces of 256 KiB. Blocks. One
// thread at a time.
class AuditLines {
public:
    // Where to go on: behind the line that was read last in the walk's direction.
    struct Place {
        std::uint64_t segment = 0;
        std::uint64_t offset = 0;
    };
    struct Line {
        std::string_view text;  // until the next call
        AuditLineStart start;
    };
    // Of records outside of `from`…`until` (0: open) whole segments are left out, single lines are not.
    struct Range {
        Micros from = 0;
        Micros until = 0;
    };

    AuditLines(AuditSegments& segments, std::string instance, bool newest_first, Range range);

    // Goes to the chain's end, or where an earlier walk stopped. Requires one of them before next().
    Result<> start();
    Result<> start_at(Place place);
    // Jumps over whole segments while at least `count` records remain to be left out; returns how many it left out.
    Result<std::uint64_t> skip(std::uint64_t count);
    // nullopt: the chain's end, or what may be read (`budget` bytes in all) has been.
    Result<std::optional<Line>> next();

    // Records in the whole chain.
    Result<std::uint64_t> total();
    Place place() const noexcept { return {number(), offset_}; }
    bool ended() const noexcept { return ended_; }
    std::uint64_t bytes_read() const noexcept { return bytes_read_; }
    const std::string& instance() const noexcept { return instance_; }

private:
    std::uint64_t number() const noexcept { return at_ < list_.size() ? list_[at_].number : 0; }
    Result<> load_list();
    Result<std::optional<AuditHeader>> header_of(std::size_t index);
    Result<std::uint64_t> last_record();
    Result<bool> is_outside(std::size_t index);
    Result<bool> next_segment();
    Result<bool> fill();
    std::optional<std::string_view> buffered_line();

    AuditSegments& segments_;
    std::string instance_;
    bool newest_first_;
    Range range_;
    std::vector<AuditSegment> list_;
    std::vector<std::optional<std::optional<AuditHeader>>> headers_;  // read so far
    std::size_t at_ = 0;
    std::uint64_t offset_ = 0;  // forwards: of the next line; backwards: behind it
    std::string buffer_;
    std::uint64_t buffer_start_ = 0;
    std::uint64_t bytes_read_ = 0;
    bool ended_ = false;
};

}  // namespace entrepot
