#include "api/management/immutable_rules_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/selector_json.hpp"

#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object rule_json(const ImmutableRule& rule)
{
    return {
        {"id", rule.id},
        {"priority", rule.priority},
        {"disabled", rule.disabled},
        {"action", "immutable"},
        {"template", "immutable_template"},
        {"tag_selectors", tag_selectors_json(rule.tags)},
        {"scope_selectors", scope_selectors_json(rule.repositories)},
    };
}

Result<ImmutableRule> rule_of_body(const JsonBody& body, std::int64_t project_id, std::int64_t id)
{
    TRY(const auto action, body.optional_text("action"));
    if (action.value_or("immutable") != "immutable") {
        return fail(Errc::bad_request, "the action of an immutability rule is immutable");
    }
    TRY(const auto shape, body.optional_text("template"));
    if (shape.value_or("immutable_template") != "immutable_template") {
        return fail(Errc::bad_request, "the template of an immutability rule is immutable_template");
    }
    TRY(auto repositories, scope_selectors_of(body));
    TRY(auto tags, tag_selectors_of(body));
    TRY(const auto disabled, body.optional_boolean("disabled"));
    TRY(const auto priority, body.optional_integer("priority"));
    return ImmutableRule{
        .id = id,
        .project_id = project_id,
        .disabled = disabled.value_or(false),
        .priority = priority.value_or(0),
        .repositories = std::move(repositories),
        .tags = std::move(tags),
    };
}

void note(const ApiCall& call, const ProjectAccess& project, std::string resource)
{
    call.audit->resource_type = "immutable-rule";
    call.audit->resource = project.name + "/" + std::move(resource);
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

}  // namespace

void ImmutableRulesApi::add_to(ApiRouter& router)
{
    constexpr auto all = "projects/{project_name_or_id}/immutabletagrules";
    constexpr auto one = "projects/{project_name_or_id}/immutabletagrules/{immutable_rule_id}";
    router.get(all, [this](ApiCall call) { return list(std::move(call)); });
    router.post(all, [this](ApiCall call) { return create(std::move(call)); });
    router.get(one, [this](ApiCall call) { return read(std::move(call)); });
    router.put(one, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one, [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> ImmutableRulesApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await rules_.list(call.caller, project->id, query));
    json::array listed;
    for (const auto& rule : page.items) listed.push_back(rule_json(rule));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> ImmutableRulesApi::create(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, "");
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto rule, rule_of_body(body, project->id, 0));
    CO_TRY(rule.id, co_await rules_.create(call.caller, rule));
    note(call, *project, std::to_string(rule.id));
    call.audit->after = json::serialize(rule_json(rule));
    co_return created_response(std::string{call.request.path} + "/" + std::to_string(rule.id));
}

Task<Response> ImmutableRulesApi::read(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto rule, co_await rules_.find(call.caller, project->id, id));
    co_return json_response(rule_json(rule));
}

Task<Response> ImmutableRulesApi::update(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto rule, rule_of_body(body, project->id, id));
    call.audit->after = json::serialize(rule_json(rule));
    CO_TRY(const auto before, co_await rules_.change(call.caller, std::move(rule)));
    call.audit->before = json::serialize(rule_json(before));
    co_return Response{};
}

Task<Response> ImmutableRulesApi::remove(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, policy_, call.path.at(0)));
    note(call, *project, call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto removed, co_await rules_.remove(call.caller, project->id, id));
    call.audit->before = json::serialize(rule_json(removed));
    co_return Response{};
}

}  // namespace entrepot
