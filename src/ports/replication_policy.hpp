#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What of a source a policy is about. Type and value are Harbor's: "resource" ("image", "artifact"), "name" (a glob of
// `project/repository`), "tag" (a glob), "label" (all of them); `decoration` "excludes" turns one round.
struct ReplicationFilter {
    std::string type;
    std::vector<std::string> values;  // one but for labels
    bool excludes = false;
};

struct ReplicationTrigger {
    std::string type = "manual";  // "manual", "scheduled", "event_based"
    std::string cron{};           // UTC, of scheduled ones
};

// A window of the day in UTC in which tasks may begin and go on; equal ends: always. Minutes since midnight.
struct DayWindow {
    std::int32_t from = 0;
    std::int32_t until = 0;  // less than `from`: over midnight
};

// Harbor's replication policy and ours beside it. Exactly one of the two endpoints is set: pull from `source_id`, or
// push to `target_id`; 0 is this registry.
struct ReplicationPolicy {
    static constexpr std::int32_t flatten_all = -1;
    static constexpr std::int64_t no_speed_limit = -1;

    std::int64_t id = 0;
    std::string name;  // unique
    std::string description;
    std::int64_t source_id = 0;
    std::int64_t target_id = 0;
    std::string namespace_there;                 // dest_namespace; empty: as at the source
    std::int32_t replaced_levels = flatten_all;  // dest_namespace_replace_count: -1 all, 0 none, 1 to 3
    std::vector<ReplicationFilter> filters;
    ReplicationTrigger trigger;
    bool replicates_deletion = false;
    bool overrides = true;  // a tag that is there and differs is moved
    bool enabled = true;
    std::int64_t kilobytes_per_second = no_speed_limit;  // of each task (speed)
    bool by_chunks = false;                              // copy_by_chunk
    bool single_active = false;                          // single_active_replication
    bool confirm_all = false;                            // deletion over everything is meant
    // Ours.
    std::vector<std::string> platforms;  // "linux/amd64", "linux/arm64/v8"; empty: all. Indexes stay as they are
    std::string version_range;           // of tags that are semantic versions; empty: any tag
    bool signed_only = false;            // what no signature refers to stays
    bool with_referrers = true;          // signatures, SBOMs and what else refers to an artifact go along
    std::int32_t priority = 5;           // of its jobs: 0 first, 9 last
    DayWindow window{};
    std::int64_t bytes_per_second = 0;  // of all the policy's tasks of one instance; 0: as much as goes
    std::int64_t tenant_id = 0;         // whose turn its jobs take; 0: the platform's
    std::int64_t creator_id = 0;
    std::string creator;  // read only
    Micros created_at = 0;
    Micros updated_at = 0;
};

}  // namespace entrepot
