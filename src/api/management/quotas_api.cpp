#include "api/management/quotas_api.hpp"

#include "api/management/project_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object quota_json(const Project& project)
{
    return {
        {"id", project.id},
        {"ref", json::object{{"id", project.id}, {"name", project.name}, {"owner_name", project.owner_name}}},
        {"hard", hard_json(project)},
        {"used", used_json(project)},
        {"creation_time", rfc3339(project.created_at)},
        {"update_time", rfc3339(project.updated_at)},
    };
}

}  // namespace

void QuotasApi::add_to(ApiRouter& router)
{
    router.get("quotas", [this](ApiCall call) { return list(std::move(call)); });
    router.get("quotas/{id}", [this](ApiCall call) { return read(std::move(call)); });
    router.put("quotas/{id}", [this](ApiCall call) { return update(std::move(call)); });
}

Task<Response> QuotasApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto reference, call.query.plain("reference"));
    // Only projects have quotas here: of anything else there are none.
    if (!reference.empty() && reference != "project") co_return list_response(call.request, json::array{}, query, 0);
    CO_TRY(const auto id, call.query.plain("reference_id"));
    if (!id.empty()) query.conditions.push_back({"reference_id", ListCondition::Kind::equal, {id}});
    CO_TRY(const auto page, co_await projects_.list_quotas(call.caller, query));
    json::array listed;
    for (const auto& project : page.items) listed.push_back(quota_json(project));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> QuotasApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path[0]));
    CO_TRY(const auto project, co_await projects_.quota(call.caller, id));
    co_return json_response(quota_json(project));
}

Task<Response> QuotasApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path[0]));
    CO_TRY(const auto before, co_await projects_.quota(call.caller, id));
    call.audit->resource_type = "quota";
    call.audit->resource = before.name;
    call.audit->project_id = before.id;
    call.audit->tenant_id = before.tenant_id;
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto hard, body.optional_object("hard"));
    if (!hard) co_return fail(Errc::bad_request, "\"hard\" is missing");
    ProjectQuota quota;
    CO_TRY(quota.bytes, hard->optional_integer("storage"));
    CO_TRY(quota.artifacts, hard->optional_integer("artifacts"));
    if (!quota.bytes && !quota.artifacts) co_return fail(Errc::bad_request, "\"hard\" names no limit");
    CO_TRY(const auto after, co_await projects_.set_quota(call.caller, id, quota));
    call.audit->before = json::serialize(hard_json(before));
    call.audit->after = json::serialize(hard_json(after));
    co_return Response{};
}

}  // namespace entrepot
