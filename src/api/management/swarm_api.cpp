#include "api/management/swarm_api.hpp"

#include "api/management/short_list.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr Micros second = 1'000'000;
constexpr std::int64_t default_seconds = 24LL * 3600;
constexpr std::int64_t most_seconds = 366LL * default_seconds;

json::object token_json(const NodeTokenEntry& token)
{
    json::array zones;
    for (const auto& zone : token.zones) zones.emplace_back(zone);
    return {
        {"id", token.id},
        {"description", token.description},
        {"zones", std::move(zones)},
        {"nodes", token.nodes},
        {"used", token.used},
        {"creation_time", rfc3339(token.created_at)},
        {"expires_at", token.expires_at / second},
        {"created_by", token.created_by},
    };
}

json::object node_json(const NodeEntry& node)
{
    return {
        {"id", node.id},
        {"name", node.name},
        {"zone", node.zone},
        {"token_id", node.token_id},
        {"admitted_time", rfc3339(node.admitted_at)},
        {"certified_time", rfc3339(node.certified_at)},
        {"expires_at", node.expires_at / second},
    };
}

void note(const ApiCall& call, std::string_view type, std::string_view name)
{
    call.audit->resource_type = type;
    call.audit->resource = name;
}

Result<NewNodeToken> new_token_of(const JsonBody& body)
{
    NewNodeToken wanted;
    TRY(auto description, body.optional_text("description"));
    wanted.description = std::move(description).value_or("");
    TRY(wanted.zones, body.texts("zones"));
    TRY(const auto nodes, body.optional_integer("nodes"));
    constexpr std::int64_t too_many = std::numeric_limits<std::uint32_t>::max();
    wanted.nodes = static_cast<std::uint32_t>(std::clamp<std::int64_t>(nodes.value_or(1), 0, too_many));
    TRY(const auto seconds, body.optional_integer("duration_seconds"));
    // Beyond either end it is refused all the same.
    wanted.lifetime = std::clamp<std::int64_t>(seconds.value_or(default_seconds), 0, most_seconds) * second;
    return wanted;
}

}  // namespace

void SwarmApi::add_to(ApiRouter& router)
{
    router.get("swarm/tokens", [this](ApiCall call) { return tokens(std::move(call)); });
    router.post("swarm/tokens", [this](ApiCall call) { return make_token(std::move(call)); });
    router.del("swarm/tokens/{token_id}", [this](ApiCall call) { return remove_token(std::move(call)); });
    router.get("swarm/nodes", [this](ApiCall call) { return nodes(std::move(call)); });
    router.del("swarm/nodes/{node_id}", [this](ApiCall call) { return remove_node(std::move(call)); });
    router.get("swarm/limits", [this](ApiCall call) { return limits(std::move(call)); });
    router.put("swarm/limits", [this](ApiCall call) { return change_limits(std::move(call)); });
}

Task<Response> SwarmApi::tokens(ApiCall call)
{
    CO_TRY(const auto query, short_list_query_of(call.query));
    CO_TRY(const auto all, co_await desk_.tokens(call.caller));
    co_return short_list_response(call.request, all, query, token_json);
}

Task<Response> SwarmApi::make_token(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, new_token_of(body));
    note(call, "node-token", wanted.description);
    auto task = desk_.create_token(call.caller, std::move(wanted));
    CO_TRY(const auto made, co_await std::move(task));
    note(call, "node-token", made.entry.id);
    auto object = token_json(made.entry);
    call.audit->after = json::serialize(object);
    object["token"] = made.text;
    auto response = json_response(object, 201);
    response.add("Cache-Control", "no-store");
    response.add("Location", "/api/v2.0/swarm/tokens/" + made.entry.id);
    co_return response;
}

Task<Response> SwarmApi::remove_token(ApiCall call)
{
    note(call, "node-token", call.path.at(0));
    CO_CHECK(co_await desk_.remove_token(call.caller, call.path.at(0)));
    co_return Response{};
}

// Read by a cursor, which is the last node's id: there may be a hundred thousand.
Task<Response> SwarmApi::nodes(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    if (!query.conditions.empty() || !query.order.empty() || query.offset != 0)
        co_return fail(Errc::bad_request, "this list knows no q, no sort and no page: it is read by its cursor");
    CO_TRY(auto zone, call.query.plain("zone"));
    CO_TRY(auto cursor, call.query.plain("cursor"));
    auto task = desk_.nodes(call.caller, std::move(zone), std::move(cursor), query.limit);
    CO_TRY(const auto page, co_await std::move(task));
    json::array items;
    for (const auto& node : page.nodes) items.push_back(node_json(node));
    auto response = json_response(items);
    if (page.more && !page.nodes.empty()) response.add("X-Next-Cursor", page.nodes.back().id);
    co_return response;
}

Task<Response> SwarmApi::remove_node(ApiCall call)
{
    note(call, "node", call.path.at(0));
    CO_CHECK(co_await desk_.remove_node(call.caller, call.path.at(0)));
    co_return Response{};
}

Task<Response> SwarmApi::limits(ApiCall call)
{
    CO_TRY(const auto limits, co_await limits_.read(call.caller));
    co_return json_response(swarm_limits_json(limits));
}

Task<Response> SwarmApi::change_limits(ApiCall call)
{
    note(call, "swarm-limits", "");
    CO_TRY(const auto before, co_await limits_.read(call.caller));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, parse_swarm_limits(body.raw()));
    call.audit->before = json::serialize(swarm_limits_json(before));
    call.audit->after = json::serialize(swarm_limits_json(wanted));
    auto changing = limits_.change(call.caller, std::move(wanted));
    CO_CHECK(co_await std::move(changing));
    co_return Response{};
}

}  // namespace entrepot
