#pragma once

#include "core/error.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What the jobs of replication are given and say. An execution of a policy is a job of the kind "replication" whose
// subject is the policy; what it finds to do are jobs of the kind "replication.copy" below it, with the same subject.

struct ReplicationOrder {
    static constexpr const char* kind = "replication";

    std::int64_t policy_id = 0;
    std::int64_t user_id = 0;  // who asked; 0: the schedule or an event did

    std::string json() const;
    static Result<ReplicationOrder> parse(std::string_view text);  // corrupt
};

struct ReplicationTask {
    static constexpr const char* kind = "replication.copy";

    static constexpr std::int64_t unknown_end = -1;  // in tasks of older versions

    std::int64_t policy_id = 0;
    std::int64_t source_id = unknown_end;  // between which ends it was found to be done
    std::int64_t target_id = unknown_end;
    std::string source_repository{};
    std::string target_repository{};
    std::vector<std::string> references{};  // tags, or digests where there are none; at the source
    bool removal = false;
    std::string digest{};  // of a removal: what the references named at the source; what else they name stays

    std::string json() const;
    static Result<ReplicationTask> parse(std::string_view text);  // corrupt
};

// Progress and result of a task, in artifacts; of an execution: what all its tasks were given.
struct ReplicationTally {
    std::int64_t copied = 0;  // or removed
    std::int64_t skipped = 0;
    std::int64_t failed = 0;
    std::int64_t bytes = 0;  // sent
    std::string error{};     // the last one

    std::string json() const;
    // What can't be read is all zeros with the text as its error: results of failed jobs are plain text.
    static ReplicationTally parse(std::string_view text);
    static ReplicationTally of(const boost::json::object& object);  // its fields, in a larger one
};

}  // namespace entrepot
