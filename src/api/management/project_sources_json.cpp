#include "api/management/project_sources_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t no_project = -1;

Result<ProjectSource>
source_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy, const Caller& caller)
{
    ProjectSource source;
    TRY(const auto name, body.optional_text("project"));
    TRY(const auto id, body.optional_integer("project_id"));
    if (!name && !id) return fail(Errc::bad_request, "a source names a project");
    // The id decides, whatever the project is called by now. Of a name that the caller may not know nothing is said.
    const auto named = id ? policy.project(*id) : policy.project(*name);
    const bool is_own = named ? named->name == own : !id && *name == own;
    const auto hidden = id.value_or(0) > 0 ? *id : no_project;
    const bool is_known = named && (id || policy.sees_project(caller, named->id));
    source.project_id = is_own ? 0 : is_known ? named->id : hidden;
    TRY(source.repositories, body.texts("repositories"));
    TRY(source.except, body.texts("except"));
    TRY(const auto optional, body.optional_boolean("optional"));
    source.optional = optional.value_or(false);
    return source;
}

// `project`: what is told of it, null: its id alone. Not `whole`: without patterns.
json::object entry_of(const Project& of, const ProjectSource& source, const ProjectAccess* project, bool whole)
{
    json::object entry{{"project_id", source.project_id == 0 ? of.id : source.project_id}};
    if (project != nullptr) entry["project"] = project->name;
    if (whole) {
        entry["repositories"] = json::value_from(source.repositories);
        entry["except"] = json::value_from(source.except);
    }
    entry["optional"] = source.optional;
    return entry;
}

}  // namespace

Result<std::optional<std::vector<ProjectSource>>>
project_sources_of(const JsonBody& body, std::string_view own, const AccessPolicy& policy, const Caller& caller)
{
    if (!body.has("sources")) return std::optional<std::vector<ProjectSource>>{};
    std::vector<ProjectSource> sources;
    TRY(const auto entries, body.objects("sources"));
    for (const auto& entry : entries) {
        TRY(auto source, source_of(entry, own, policy, caller));
        sources.push_back(std::move(source));
    }
    return std::optional{std::move(sources)};
}

std::string sources_json(const Project& of, const AccessPolicy& policy, const Caller& caller, bool whole)
{
    json::array list;
    for (const auto& source : of.sources) {
        const auto id = source.project_id == 0 ? of.id : source.project_id;
        const auto project = policy.sees_project(caller, id) ? policy.project(id) : nullptr;
        if (!project && !whole) continue;
        list.push_back(entry_of(of, source, project.get(), whole));
    }
    return json::serialize(list);
}

std::string sources_record(const Project& of)
{
    json::array list;
    for (const auto& source : of.sources) list.push_back(entry_of(of, source, nullptr, true));
    return json::serialize(list);
}

}  // namespace entrepot
