#include "api/management/registries_api.hpp"

#include "api/management/registry_json.hpp"

#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view one_registry = "registries/{id}";

void note(const ApiCall& call, std::string_view name, std::int64_t tenant_id = 0)
{
    call.audit->resource_type = "registry";
    call.audit->resource = name;
    call.audit->tenant_id = tenant_id;
}

}  // namespace

void RegistriesApi::add_to(ApiRouter& router)
{
    router.get("registries", [this](ApiCall call) { return list(std::move(call)); });
    router.post("registries", [this](ApiCall call) { return create(std::move(call)); });
    router.post("registries/ping", [this](ApiCall call) { return ping(std::move(call)); });
    router.get(one_registry, [this](ApiCall call) { return read(std::move(call)); });
    router.put(one_registry, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one_registry, [this](ApiCall call) { return remove(std::move(call)); });
    router.get("registries/{id}/info", [this](ApiCall call) { return info(std::move(call)); });
    router.get("registries/{id}/health", [this](ApiCall call) { return health(std::move(call)); });
    router.get("replication/adapters", [this](ApiCall call) { return adapters(std::move(call)); });
    router.get("replication/adapterinfos", [this](ApiCall call) { return adapter_infos(std::move(call)); });
}

Task<Response> RegistriesApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto name, call.query.plain("name"));
    if (!name.empty()) query.conditions.push_back({"name", ListCondition::Kind::fuzzy, {name}});
    CO_TRY(const auto page, co_await endpoints_.list(call.caller, query));
    json::array items;
    for (const auto& endpoint : page.items) items.push_back(registry_json(endpoint));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> RegistriesApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto input, endpoint_input_of(body));
    note(call, input.name.value_or(""), input.tenant_id.value_or(0));
    CO_TRY(const auto made, co_await endpoints_.create(call.caller, std::move(input)));
    call.audit->after = json::serialize(registry_json(made));
    co_return created_response("/api/v2.0/registries/" + std::to_string(made.id));
}

Task<Response> RegistriesApi::ping(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto id, body.optional_integer("id"));
    if (id == 0) id.reset();
    CO_TRY(auto input, endpoint_input_of(body));
    note(call, id ? std::to_string(*id) : input.url.value_or(""));
    call.audit->operation = "ping";
    CO_CHECK(co_await endpoints_.ping(call.caller, id, std::move(input)));
    co_return Response{};
}

Task<Response> RegistriesApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto endpoint, co_await endpoints_.find(call.caller, id));
    co_return json_response(registry_json(endpoint));
}

Task<Response> RegistriesApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, call.path.at(0));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto input, endpoint_input_of(body));
    CO_TRY(const auto changed, co_await endpoints_.change(call.caller, id, std::move(input)));
    note(call, changed.after.name, changed.after.tenant_id);
    call.audit->before = json::serialize(registry_json(changed.before));
    call.audit->after = json::serialize(registry_json(changed.after));
    co_return Response{};
}

Task<Response> RegistriesApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, call.path.at(0));
    CO_TRY(const auto removed, co_await endpoints_.remove(call.caller, id));
    note(call, removed.name, removed.tenant_id);
    call.audit->before = json::serialize(registry_json(removed));
    co_return Response{};
}

Task<Response> RegistriesApi::info(ApiCall call)
{
    // 0 is this registry.
    std::int64_t id = 0;
    if (call.path.at(0) != "0") {
        CO_TRY(id, parse_id(call.path.at(0)));
    }
    CO_TRY(const auto adapter, co_await endpoints_.info(call.caller, id));
    co_return json_response(registry_info_json(adapter));
}

Task<Response> RegistriesApi::health(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto history, co_await endpoints_.health(call.caller, id));
    co_return json_response(registry_health_json(history));
}

Task<Response> RegistriesApi::adapters(ApiCall call)
{
    CO_TRY(const auto known, endpoints_.adapters(call.caller));
    json::array types;
    for (const auto& adapter : known) types.emplace_back(adapter.type);
    co_return json_response(types);
}

Task<Response> RegistriesApi::adapter_infos(ApiCall call)
{
    CO_TRY(const auto known, endpoints_.adapters(call.caller));
    json::object infos;
    for (const auto& adapter : known) infos[adapter.type] = provider_info_json(adapter);
    co_return json_response(infos);
}

}  // namespace entrepot
