#pragma once

#include "core/task.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// What is used, in bytes.
struct Usage {
    std::int64_t charged = 0;     // by the quota: each blob once in a project
    std::int64_t referenced = 0;  // had every artifact its own copy of its blobs
    std::int64_t stored = 0;      // a blob's bytes are divided by the projects that hold it: all add up to the store
    std::int64_t artifacts = 0;   // that lists show
};

struct UsageDay {
    std::int64_t day = 0;       // since 1970-01-01, UTC
    std::int64_t projects = 0;  // that were measured
    Usage usage;
};

// Of all days of a span: bytes are summed up day by day (byte-days), `days` says how many were measured.
struct ProjectUsage {
    std::int64_t project_id = 0;
    std::string project;  // as it was called on the last of them
    std::int64_t days = 0;
    Usage byte_days;
};

struct UsageSpan {
    std::int64_t tenant_id = 0;   // either this,
    std::int64_t project_id = 0;  // or this; the other is 0
    std::int64_t first_day = 0;
    std::int64_t last_day = 0;  // inclusive
};

// What projects have used day by day, also of those that are gone. unavailable, storage_full from those that write.
class UsageLedger {
public:
    virtual ~UsageLedger() = default;

    enum class Which { all, not_yet };  // not_yet: those of which nothing is written down for that day
    // Measures the project with the next id after `after`, at the cost of its size, and writes that down as the day's.
    // Its id; 0: there is no further one.
    virtual Task<std::int64_t> measure(std::int64_t after, std::int64_t day, Which which) = 0;

    virtual Task<std::vector<UsageDay>> by_day(UsageSpan span) = 0;
    // The one that was charged most first; of the query offset and limit alone.
    virtual Task<ListPage<ProjectUsage>> by_project(UsageSpan span, ListQuery query) = 0;

    virtual Task<> forget_before(std::int64_t day) = 0;
};

}  // namespace entrepot
