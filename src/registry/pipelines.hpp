#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/promotion_catalog.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// An artifact on its way along a chain of projects; one entry of `stages` for each stage of the pipeline.
struct Journey {
    std::string digest;
    Pipeline pipeline;
    std::vector<JourneyStage> stages;
};

// Chains of projects as people see them: a stage that the caller may not read is left out as if it were not there, and
// with it the steps to and from it. not_found and denied for the project that is asked about. Safe from any loop.
class Pipelines {
public:
    Pipelines(PromotionCatalog& catalog, ArtifactCatalog& artifacts, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, artifacts_{artifacts}, policy_{policy}, clock_{clock}
    {
    }

    Task<Pipeline> pipeline(Caller caller, std::int64_t project_id);
    Task<Journey> journey(Caller caller, std::int64_t project_id, RepositoryName name, Reference reference);

private:
    bool may(const Caller& caller, Permission permission, std::int64_t project_id) const;
    Pipeline seen_by(const Caller& caller, Pipeline pipeline, Permission permission) const;

    PromotionCatalog& catalog_;
    ArtifactCatalog& artifacts_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot
