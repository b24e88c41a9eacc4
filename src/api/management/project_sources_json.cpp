#include "api/management/project_sources_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

Result<ProjectSource> source_of(const JsonBody& body, const AccessPolicy& policy)
{
    ProjectSource source;
    TRY(const auto name, body.optional_text("project"));
    TRY(const auto id, body.optional_integer("project_id"));
    if (!name && !id) return fail(Errc::bad_request, "a source names a project");
    if (name) {
        const auto project = policy.project(*name);
        source.project_id = project ? project->id : 0;
        if (id && *id != source.project_id) {
            return fail(Errc::bad_request, "project and project_id of a source are two projects");
        }
    } else {
        source.project_id = *id;
    }
    TRY(source.repositories, body.texts("repositories"));
    TRY(source.except, body.texts("except"));
    TRY(const auto optional, body.optional_boolean("optional"));
    source.optional = optional.value_or(false);
    return source;
}

}  // namespace

Result<std::optional<std::vector<ProjectSource>>> project_sources_of(const JsonBody& body, const AccessPolicy& policy)
{
    if (!body.has("sources")) return std::optional<std::vector<ProjectSource>>{};
    std::vector<ProjectSource> sources;
    TRY(const auto entries, body.objects("sources"));
    for (const auto& entry : entries) {
        TRY(auto source, source_of(entry, policy));
        sources.push_back(std::move(source));
    }
    return std::optional{std::move(sources)};
}

std::string sources_json(const std::vector<ProjectSource>& sources, const AccessPolicy* policy, const Caller* caller)
{
    json::array list;
    for (const auto& source : sources) {
        json::object entry{{"project_id", source.project_id}};
        if (policy != nullptr && policy->sees_project(*caller, source.project_id)) {
            if (const auto project = policy->project(source.project_id)) entry["project"] = project->name;
        }
        entry["repositories"] = json::value_from(source.repositories);
        entry["except"] = json::value_from(source.except);
        entry["optional"] = source.optional;
        list.push_back(std::move(entry));
    }
    return json::serialize(list);
}

}  // namespace entrepot
