#pragma once

#include "core/task.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What projects and repositories add up to.
struct ProjectTotals {
    std::int64_t public_projects = 0;
    std::int64_t private_projects = 0;
    std::int64_t public_repositories = 0;
    std::int64_t private_repositories = 0;
    std::int64_t bytes = 0;
};

struct FoundRepository {
    std::int64_t project_id = 0;
    std::string project_name;
    bool project_public = false;
    std::string name;  // whole: "project/app"
    std::int64_t pull_count = 0;
    std::int64_t artifact_count = 0;
};

// Overviews across projects. `visible`: only these projects (ascending ids); nullopt: all. unavailable.
class OverviewCatalog {
public:
    virtual ~OverviewCatalog() = default;

    virtual Task<ProjectTotals> totals(std::optional<std::vector<std::int64_t>> visible) = 0;
    // Repositories whose name contains `part` in any case of letters, in name order, at most `limit`.
    virtual Task<std::vector<FoundRepository>>
    search(std::string part, std::optional<std::vector<std::int64_t>> visible, std::int64_t limit) = 0;
};

}  // namespace entrepot
