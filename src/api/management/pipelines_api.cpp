#include "api/management/pipelines_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/promotion_json.hpp"
#include "api/management/repository_of_call.hpp"

#include <boost/json/array.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object stage_json(const Pipeline::Stage& stage)
{
    return {{"project_id", stage.project_id}, {"project", stage.project}, {"environment", stage.environment}};
}

json::array places_json(const JourneyStage& stage)
{
    json::array places;
    for (const auto& place : stage.places) {
        json::array tags;
        for (const auto& tag : place.tags) {
            tags.push_back(json::object{{"name", tag.name}, {"since", rfc3339(tag.since)}});
        }
        places.push_back(
            json::object{{"repository", place.repository}, {"since", rfc3339(place.since)}, {"tags", std::move(tags)}}
        );
    }
    return places;
}

}  // namespace

void PipelinesApi::add_to(ApiRouter& router)
{
    router.get("projects/{project_name_or_id}/pipeline", [this](ApiCall call) { return pipeline(std::move(call)); });
    router.get(
        "projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/journey",
        [this](ApiCall call) { return journey(std::move(call)); },
        ApiAudience::anyone
    );
}

Task<Response> PipelinesApi::pipeline(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto pipeline, co_await pipelines_.pipeline(call.caller, project->id));
    json::array stages;
    for (const auto& stage : pipeline.stages) stages.push_back(stage_json(stage));
    json::array steps;
    for (const auto& step : pipeline.steps) steps.push_back(promotion_policy_json(step));
    co_return json_response(json::object{{"stages", std::move(stages)}, {"steps", std::move(steps)}});
}

Task<Response> PipelinesApi::journey(ApiCall call)
{
    CO_TRY(const auto project, project_of_call(call, policy_));
    CO_TRY(const auto name, repository_of_call(call, policy_));
    CO_TRY(const auto reference, reference_of(call.path.at(2)));
    CO_TRY(const auto journey, co_await pipelines_.journey(call.caller, project->id, name, reference));
    json::array stages;
    for (std::size_t i = 0; i < journey.stages.size(); ++i) {
        const auto& stage = journey.stages[i];
        auto object = stage_json(journey.pipeline.stages.at(i));
        object["there"] = !stage.places.empty();
        object["places"] = places_json(stage);
        object["promotion"] =
            stage.promotion ? json::value(promotion_json(*stage.promotion, true)) : json::value(nullptr);
        stages.push_back(std::move(object));
    }
    co_return json_response(json::object{{"digest", journey.digest}, {"stages", std::move(stages)}});
}

}  // namespace entrepot
