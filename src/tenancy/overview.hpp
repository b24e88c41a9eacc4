#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"
#include "ports/overview_catalog.hpp"
#include "ports/project_catalog.hpp"

#include <string>
#include <vector>

namespace entrepot {

// What somebody sees of everything: totals, and what a word finds.
class Overview {
public:
    static constexpr std::int64_t most_found = 100;  // of each kind

    Overview(OverviewCatalog& catalog, ProjectCatalog& projects, const AccessPolicy& policy)
        : catalog_{catalog}, projects_{projects}, policy_{policy}
    {
    }

    struct Totals {
        ProjectTotals counts;
        bool everything = false;  // the caller sees all there is
    };
    Task<Totals> totals(Caller caller);

    struct Found {
        std::vector<Project> projects;
        std::vector<FoundRepository> repositories;
    };
    Task<Found> search(Caller caller, std::string part);

private:
    OverviewCatalog& catalog_;
    ProjectCatalog& projects_;
    const AccessPolicy& policy_;
};

}  // namespace entrepot
