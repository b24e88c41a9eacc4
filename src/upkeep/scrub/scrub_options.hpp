#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// What a scrub does about bytes that the catalog doesn't count on.
enum class OrphanPolicy : std::uint8_t {
    report,
    remove,  // leaves blobs to garbage collection, and removes the bytes of uploads that nobody knows
    adopt,   // links blobs into the repositories whose manifests name them and lack them
};

struct ScrubOptions {
    bool verify = true;      // reads every byte again
    std::uint64_t rate = 0;  // bytes a second that are read; 0: nothing is read again
    OrphanPolicy orphans = OrphanPolicy::report;
    Micros min_age = 0;  // what is younger may belong to a push that is under way
    bool heal = true;    // fetches from the replica, where there is one

    bool verifies() const noexcept { return verify && rate > 0; }

    // {"verify": true, "rate": 52428800, "orphans": "report", "min_age": 86400, "heal": true}, each optional: `usual`
    // otherwise; min_age in seconds. bad_request.
    static Result<ScrubOptions> parse(std::string_view json, const ScrubOptions& usual);
    static Result<ScrubOptions> read(const boost::json::object& object, const ScrubOptions& usual);
};

// What a run has done so far, and in the end.
struct ScrubCount {
    std::uint64_t blobs = 0;  // that repositories hold
    std::uint64_t verified = 0;
    std::uint64_t verified_bytes = 0;
    std::uint64_t missing = 0;
    std::uint64_t rotten = 0;
    std::uint64_t unreadable = 0;
    std::uint64_t wrong_sizes = 0;
    std::uint64_t healed = 0;
    std::uint64_t orphans = 0;
    std::uint64_t orphan_bytes = 0;
    std::uint64_t adopted = 0;
    std::uint64_t deleted = 0;
    std::uint64_t stray_uploads = 0;
    std::uint64_t too_young = 0;  // to be judged

    std::string json() const;
};

// Where a run stands, as it is saved.
struct ScrubPosition {
    enum class Phase : std::uint8_t { blobs, uploads, over };
    Phase phase = Phase::blobs;
    std::string after{};  // the last digest or upload that was dealt with
    Micros began = 0;
    ScrubCount count{};

    std::string json() const;
    static ScrubPosition parse(std::string_view json);  // the start, where it is none
};

}  // namespace entrepot
