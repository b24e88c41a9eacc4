#include "registry/pipelines.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

#include <set>

namespace entrepot {
namespace {

const Permission list_policies = need(ObjectKind::project, "promotion-policy", "list");
const Permission read_policy = need(ObjectKind::project, "promotion-policy", "read");
const Permission read_promotion = need(ObjectKind::project, "promotion", "read");
const Permission read_project = need(ObjectKind::project, "project", "read");
const Permission read_artifact = need(ObjectKind::project, "artifact", "read");

ObjectRef project_ref(std::int64_t id)
{
    return {.kind = ObjectKind::project, .id = id, .name = {}};
}

}  // namespace

bool Pipelines::may(const Caller& caller, Permission permission, std::int64_t project_id) const
{
    return policy_.project(project_id) != nullptr && policy_.may(caller, permission, project_ref(project_id));
}

Pipeline Pipelines::seen_by(const Caller& caller, Pipeline pipeline, Permission permission) const
{
    std::set<std::int64_t> seen;
    std::erase_if(pipeline.stages, [&](const Pipeline::Stage& stage) {
        const bool is_seen = may(caller, permission, stage.project_id);
        if (is_seen) seen.insert(stage.project_id);
        return !is_seen;
    });
    std::erase_if(pipeline.steps, [&](const PromotionPolicy& step) {
        return !seen.contains(step.project_id) || !seen.contains(step.target_project_id) ||
               !may(caller, read_policy, step.project_id);
    });
    return pipeline;
}

Task<Pipeline> Pipelines::pipeline(Caller caller, std::int64_t project_id)
{
    CO_CHECK(require(policy_, caller, list_policies, project_ref(project_id)));
    CO_TRY(auto pipeline, co_await catalog_.pipeline(project_id));
    co_return seen_by(caller, std::move(pipeline), read_project);
}

Task<Journey> Pipelines::journey(Caller caller, std::int64_t project_id, RepositoryName name, Reference reference)
{
    CO_CHECK(require_in_repository(policy_, caller, read_artifact, name));
    CO_TRY(auto artifact, co_await artifacts_.find(std::move(name), std::move(reference), {.tags = false}));
    CO_TRY(auto whole, co_await catalog_.pipeline(project_id));
    Journey journey{.digest = std::move(artifact.digest), .pipeline = {}, .stages = {}};
    journey.pipeline = seen_by(caller, std::move(whole), read_artifact);
    std::vector<std::int64_t> projects;
    for (const auto& stage : journey.pipeline.stages) projects.push_back(stage.project_id);
    CO_TRY(journey.stages, co_await catalog_.journey(journey.digest, std::move(projects), clock_.now()));
    for (auto& stage : journey.stages) {
        if (!stage.promotion || may(caller, read_promotion, stage.project_id) ||
            may(caller, read_promotion, stage.promotion->project_id)) {
            continue;
        }
        stage.promotion.reset();
    }
    co_return journey;
}

}  // namespace entrepot
