#include "api/management/push_policies_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/selector_json.hpp"

#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object push_policy_json(const PushPolicy& policy)
{
    json::object object{
        {"id", policy.id},
        {"name", policy.name},
        {"disabled", policy.disabled},
        {"scope_selectors", scope_selectors_json(policy.repositories)},
    };
    if (policy.names) object["repository_selectors"] = scope_selectors_json(*policy.names).at("repository");
    if (policy.tags) object["tag_selectors"] = tag_selectors_json(*policy.tags);
    if (policy.versions) object["semantic_versions"] = policy.versions->text();
    return object;
}

Result<Selectors> scope_of(const JsonBody& body)
{
    if (body.has("scope_selectors")) return scope_selectors_of(body);
    return Selectors::of_repositories({{false, "**"}});
}

Result<PushPolicy> push_policy_of_body(const JsonBody& body, std::int64_t project_id, std::int64_t id)
{
    TRY(auto name, body.text("name"));
    TRY(auto repositories, scope_of(body));
    TRY(const auto disabled, body.optional_boolean("disabled"));
    PushPolicy policy{
        .id = id,
        .project_id = project_id,
        .name = std::move(name),
        .disabled = disabled.value_or(false),
        .repositories = std::move(repositories),
    };
    if (body.has("repository_selectors")) {
        TRY(policy.names, repository_selectors_of(body, "repository_selectors"));
    }
    if (body.has("tag_selectors")) {
        TRY(policy.tags, tag_selectors_of(body));
    }
    TRY(const auto range, body.optional_text("semantic_versions"));
    if (range) {
        TRY(policy.versions, VersionRange::parse(*range));
    }
    return policy;
}

json::object check_json(const PushPolicyCheck& found)
{
    json::array refusals;
    for (const auto& each : found.refusals) {
        json::object refusal{{"repository", each.repository}, {"reason", each.reason}};
        refusal["tag"] = each.tag.empty() ? json::value(nullptr) : json::value(each.tag);
        refusals.push_back(std::move(refusal));
    }
    return {
        {"repositories", found.repositories},
        {"tags", found.tags},
        {"refused", found.refused},
        {"refusals", std::move(refusals)},
    };
}

void note(const ApiCall& call, const ProjectAccess& project, std::string resource)
{
    call.audit->resource_type = "push-policy";
    call.audit->resource = project.name + "/" + std::move(resource);
    call.audit->project_id = project.id;
    call.audit->tenant_id = project.tenant_id;
}

}  // namespace

void PushPoliciesApi::add_to(ApiRouter& router)
{
    constexpr auto all = "projects/{project_name_or_id}/pushpolicies";
    constexpr auto one = "projects/{project_name_or_id}/pushpolicies/{push_policy_id}";
    router.get("projects/{project_name_or_id}/pushpolicies/check", [this](ApiCall call) {
        return check(std::move(call));
    });
    router.get(all, [this](ApiCall call) { return list(std::move(call)); });
    router.post(all, [this](ApiCall call) { return create(std::move(call)); });
    router.get(one, [this](ApiCall call) { return read(std::move(call)); });
    router.put(one, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one, [this](ApiCall call) { return remove(std::move(call)); });
}

Task<Response> PushPoliciesApi::list(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await policies_.list(call.caller, project->id, query));
    json::array listed;
    for (const auto& policy : page.items) listed.push_back(push_policy_json(policy));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> PushPoliciesApi::create(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    note(call, *project, "");
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, push_policy_of_body(body, project->id, 0));
    CO_TRY(policy.id, co_await policies_.create(call.caller, policy));
    note(call, *project, std::to_string(policy.id));
    call.audit->after = json::serialize(push_policy_json(policy));
    co_return created_response(std::string{call.request.path} + "/" + std::to_string(policy.id));
}

Task<Response> PushPoliciesApi::read(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto policy, co_await policies_.find(call.caller, project->id, id));
    co_return json_response(push_policy_json(policy));
}

Task<Response> PushPoliciesApi::update(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    note(call, *project, call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, push_policy_of_body(body, project->id, id));
    call.audit->after = json::serialize(push_policy_json(policy));
    CO_TRY(const auto before, co_await policies_.change(call.caller, std::move(policy)));
    call.audit->before = json::serialize(push_policy_json(before));
    co_return Response{};
}

Task<Response> PushPoliciesApi::remove(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    note(call, *project, call.path.at(1));
    CO_TRY(const auto id, parse_id(call.path.at(1)));
    CO_TRY(const auto removed, co_await policies_.remove(call.caller, project->id, id));
    call.audit->before = json::serialize(push_policy_json(removed));
    co_return Response{};
}

Task<Response> PushPoliciesApi::check(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, access_, call.path.at(0)));
    std::optional<std::int64_t> id;
    if (const auto text = call.query.first("policy_id")) {
        CO_TRY(id, parse_id(*text));
    }
    CO_TRY(const auto found, co_await policies_.check(call.caller, project->id, id));
    co_return json_response(check_json(found));
}

}  // namespace entrepot
