#include "api/management/labels_api.hpp"

#include "api/management/api_values.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object label_json(const Label& label)
{
    return {
        {"id", label.id},
        {"name", label.name},
        {"description", label.description},
        {"color", label.color},
        {"scope", label.project_id == 0 ? "g" : "p"},
        {"project_id", label.project_id},
        {"creation_time", rfc3339(label.created_at)},
        {"update_time", rfc3339(label.updated_at)},
    };
}

// Scope "g" has no project, scope "p" needs one.
Result<std::int64_t> project_of_scope(std::string_view scope, std::int64_t project_id)
{
    if (scope == "g") return 0;
    if (scope != "p") return fail(Errc::bad_request, "scope is neither g nor p");
    if (project_id <= 0) return fail(Errc::bad_request, "project_id is missing");
    return project_id;
}

Result<Label> label_of_body(const JsonBody& body)
{
    Label label;
    TRY(label.name, body.text("name"));
    TRY(auto description, body.optional_text("description"));
    TRY(auto color, body.optional_text("color"));
    label.description = std::move(description).value_or("");
    label.color = std::move(color).value_or("");
    return label;
}

}  // namespace

void LabelsApi::add_to(ApiRouter& router)
{
    router.get("labels", [this](ApiCall call) { return list(std::move(call)); });
    router.post("labels", [this](ApiCall call) { return create(std::move(call)); });
    router.get("labels/{label_id}", [this](ApiCall call) { return read(std::move(call)); });
    router.put("labels/{label_id}", [this](ApiCall call) { return update(std::move(call)); });
    router.del("labels/{label_id}", [this](ApiCall call) { return remove(std::move(call)); });
}

void LabelsApi::note(const ApiCall& call, const Label& label) const
{
    call.audit->resource_type = "label";
    call.audit->resource = label.name;
    call.audit->project_id = label.project_id;
    if (const auto project = policy_.project(label.project_id)) call.audit->tenant_id = project->tenant_id;
}

Task<Response> LabelsApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto name, call.query.plain("name"));
    if (!name.empty()) query.conditions.push_back({"name", ListCondition::Kind::fuzzy, {name}});
    const auto project = parse_id(call.query.first("project_id").value_or("0"));
    CO_TRY(const auto project_id, project_of_scope(call.query.first("scope").value_or(""), project.value_or(0)));
    CO_TRY(const auto page, co_await labels_.list(call.caller, project_id, query));
    json::array listed;
    for (const auto& label : page.items) listed.push_back(label_json(label));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> LabelsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto label, label_of_body(body));
    CO_TRY(const auto scope, body.optional_text("scope"));
    CO_TRY(const auto project_id, body.optional_integer("project_id"));
    CO_TRY(label.project_id, project_of_scope(scope.value_or("g"), project_id.value_or(0)));
    note(call, label);
    CO_TRY(const auto created, co_await labels_.create(call.caller, std::move(label)));
    call.audit->after = json::serialize(label_json(created));
    co_return created_response("/api/v2.0/labels/" + std::to_string(created.id));
}

Task<Response> LabelsApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path[0]));
    CO_TRY(const auto label, co_await labels_.find(call.caller, id));
    co_return json_response(label_json(label));
}

Task<Response> LabelsApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path[0]));
    CO_TRY(const auto before, co_await labels_.find(call.caller, id));
    note(call, before);
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto label, label_of_body(body));
    label.id = id;
    CO_TRY(const auto after, co_await labels_.change(call.caller, std::move(label)));
    call.audit->before = json::serialize(label_json(before));
    call.audit->after = json::serialize(label_json(after));
    co_return Response{};
}

Task<Response> LabelsApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path[0]));
    call.audit->resource_type = "label";
    call.audit->resource = call.path[0];
    CO_TRY(const auto removed, co_await labels_.remove(call.caller, id));
    note(call, removed);
    call.audit->before = json::serialize(label_json(removed));
    co_return Response{};
}

}  // namespace entrepot
