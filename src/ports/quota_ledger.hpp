#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// What a project is charged for, counted anew, where that differs from what is kept.
struct QuotaDrift {
    std::int64_t project_id = 0;
    std::string project;
    std::int64_t bytes = 0;  // kept less counted
    std::int64_t artifacts = 0;
};

// Pushes that did not fit into a project, or its tenant, one after another.
struct QuotaRefusals {
    std::string project{};  // as its name was given
    std::int64_t count = 0;
    std::string message{};  // what the last one was told
    Micros last = 0;
};

// How many have reached a level and not the next one.
struct QuotaLevel {
    std::int64_t percent = 0;  // of their limit
    std::int64_t projects = 0;
    std::int64_t tenants = 0;
};

// Looks after what the other catalogs' methods charge in their own transactions. unavailable, storage_full from each.
class QuotaLedger {
public:
    virtual ~QuotaLedger() = default;

    // Adds up what pushes of several instances have left to be added up, and drops claims that have expired.
    virtual Task<> settle(Micros now) = 0;

    // Counts the project with the next id after `after` anew, in one view of the database with what is kept, and mends
    // what differs. project_id 0: there is no further project.
    virtual Task<QuotaDrift> recount(std::int64_t after) = 0;

    // Says how full projects and tenants with limits are, by `levels` (percent, ascending). Who has reached a further
    // one since this was last asked has a quota.warned recorded, once, however many instances ask; who is below it
    // again is told anew the next time.
    virtual Task<std::vector<QuotaLevel>> warn(std::vector<std::int64_t> levels, Micros now) = 0;

    // Records a quota.exceeded for each; those of projects that are gone are dropped.
    virtual Task<> note(std::vector<QuotaRefusals> refusals) = 0;
};

}  // namespace entrepot
