#include "api/management/project_sources_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t no_project = -1;

Result<ProjectSource> source_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy)
{
    ProjectSource source;
    TRY(const auto name, body.optional_text("project"));
    TRY(const auto id, body.optional_integer("project_id"));
    if (!name && !id) return fail(Errc::bad_request, "a source names a project");
    const auto named = name ? policy.project(*name) : policy.project(*id);
    if (name && id && named && named->id != *id) {
        return fail(Errc::bad_request, "project and project_id of a source are two projects");
    }
    const bool is_own = name == own || (named && named->name == own);
    // One that is gone may be sent back as it was read.
    const auto unnamed = !name && *id > 0 ? *id : no_project;
    source.project_id = is_own ? 0 : named ? named->id : unnamed;
    TRY(source.repositories, body.texts("repositories"));
    TRY(source.except, body.texts("except"));
    TRY(const auto optional, body.optional_boolean("optional"));
    source.optional = optional.value_or(false);
    return source;
}

}  // namespace

Result<std::optional<std::vector<ProjectSource>>>
project_sources_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy)
{
    if (!body.has("sources")) return std::optional<std::vector<ProjectSource>>{};
    std::vector<ProjectSource> sources;
    TRY(const auto entries, body.objects("sources"));
    for (const auto& entry : entries) {
        TRY(auto source, source_of(entry, own, policy));
        sources.push_back(std::move(source));
    }
    return std::optional{std::move(sources)};
}

std::string sources_json(const Project& of, const AccessPolicy* policy, const Caller* caller)
{
    json::array list;
    for (const auto& source : of.sources) {
        const auto id = source.project_id == 0 ? of.id : source.project_id;
        json::object entry{{"project_id", id}};
        if (policy != nullptr && policy->sees_project(*caller, id)) {
            if (const auto project = policy->project(id)) entry["project"] = project->name;
        }
        entry["repositories"] = json::value_from(source.repositories);
        entry["except"] = json::value_from(source.except);
        entry["optional"] = source.optional;
        list.push_back(std::move(entry));
    }
    return json::serialize(list);
}

}  // namespace entrepot
