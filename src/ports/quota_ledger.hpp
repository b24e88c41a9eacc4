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

// Looks after what the other catalogs' methods charge in their own transactions. unavailable, storage_full from each.
class QuotaLedger {
public:
    virtual ~QuotaLedger() = default;

    // Adds up what pushes of several instances have left to be added up, and drops claims that have expired.
    virtual Task<> settle(Micros now) = 0;

    // Counts the project with the next id after `after` anew, in one view of the database with what is kept, and mends
    // what differs. project_id 0: there is no further project.
    virtual Task<QuotaDrift> recount(std::int64_t after) = 0;
};

}  // namespace entrepot
