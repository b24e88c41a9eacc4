#include "api/management/preheat_api.hpp"

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
// What is beyond is refused by the desk all the same.
constexpr std::int64_t most_seconds = std::numeric_limits<std::int64_t>::max() / second / 2;

json::array texts_json(const std::vector<std::string>& texts)
{
    return json::array(texts.begin(), texts.end());
}

json::object counts_json(const PreheatCounts& counts)
{
    json::object object;
    for (std::size_t at = 0; at < node_preheats; ++at) object[name_of(static_cast<NodePreheat>(at))] = counts.nodes[at];
    object["total"] = counts.all();
    return object;
}

json::object preheat_json(const PreheatEntry& preheat)
{
    json::object object{
        {"id", preheat.id},
        {"repository", preheat.repository},
        {"reference", preheat.reference},
        {"digest", preheat.digest},
        {"platform", preheat.platform},
        {"bytes", preheat.bytes},
        {"zones", texts_json(preheat.selection.zones)},
        {"nodes", texts_json(preheat.selection.names)},
        {"percent", preheat.selection.percent},
        {"deadline", preheat.deadline / second},
        {"rate", preheat.rate},
        {"created_by", preheat.owner},
        {"stage", name_of(preheat.stage)},
        {"message", preheat.message},
        {"creation_time", rfc3339(preheat.created_at)},
        {"counts", counts_json(preheat.counts)},
        {"bytes_done", preheat.counts.bytes_done},
        {"bytes_total", preheat.bytes * preheat.counts.all()},
    };
    if (preheat.ended_at != 0) object["end_time"] = rfc3339(preheat.ended_at);
    return object;
}

json::object node_json(const PreheatNode& node, std::int64_t bytes)
{
    return {
        {"id", node.id},
        {"name", node.name},
        {"zone", node.zone},
        {"state", name_of(node.state)},
        {"bytes_done", node.bytes_done},
        {"bytes_total", bytes},
        {"message", node.message},
        {"update_time", rfc3339(node.at)},
    };
}

void note(const ApiCall& call, const PreheatEntry& preheat)
{
    call.audit->resource_type = "preheat";
    call.audit->resource = preheat.id == 0 ? preheat.repository : std::to_string(preheat.id);
    call.audit->project_id = preheat.project_id;
}

Micros time_of(std::int64_t seconds)
{
    return std::clamp<std::int64_t>(seconds, 0, most_seconds) * second;
}

Result<NewPreheat> new_preheat_of(const JsonBody& body)
{
    TRY(const auto repository_text, body.text("repository"));
    TRY(auto repository, RepositoryName::parse(repository_text));
    TRY(const auto reference_text, body.text("reference"));
    TRY(auto reference, Reference::parse(reference_text));
    NewPreheat wanted{.repository = std::move(repository), .reference = std::move(reference)};
    TRY(auto platform, body.optional_text("platform"));
    wanted.platform = std::move(platform).value_or("");
    TRY(wanted.selection.zones, body.texts("zones"));
    TRY(wanted.selection.names, body.texts("nodes"));
    TRY(const auto percent, body.optional_integer("percent"));
    wanted.selection.percent = percent.value_or(100);
    TRY(const auto rate, body.optional_integer("rate"));
    wanted.rate = rate.value_or(0);
    TRY(const auto deadline, body.optional_integer("deadline"));
    TRY(const auto seconds, body.optional_integer("duration_seconds"));
    if (deadline && seconds) return fail(Errc::bad_request, "\"deadline\" and \"duration_seconds\" exclude each other");
    wanted.lifetime = PreheatDesk::default_lifetime;
    if (seconds) wanted.lifetime = time_of(*seconds);
    // One that is not after the beginning has passed all the same.
    if (deadline) wanted.deadline = time_of(std::max<std::int64_t>(*deadline, 1));
    return wanted;
}

}  // namespace

void PreheatApi::add_to(ApiRouter& router)
{
    router.get("swarm/preheats", [this](ApiCall call) { return list(std::move(call)); });
    router.post("swarm/preheats", [this](ApiCall call) { return create(std::move(call)); });
    router.get("swarm/preheats/{preheat_id}", [this](ApiCall call) { return read(std::move(call)); });
    router.get("swarm/preheats/{preheat_id}/nodes", [this](ApiCall call) { return nodes(std::move(call)); });
    router.del("swarm/preheats/{preheat_id}", [this](ApiCall call) { return cancel(std::move(call)); });
}

Task<Response> PreheatApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto wanted, new_preheat_of(body));
    call.audit->resource_type = "preheat";
    call.audit->resource = wanted.repository.text();
    auto task = desk_.create(call.caller, std::move(wanted));
    CO_TRY(const auto made, co_await std::move(task));
    note(call, made);
    const auto object = preheat_json(made);
    call.audit->after = json::serialize(object);
    auto response = json_response(object, 201);
    response.add("Location", "/api/v2.0/swarm/preheats/" + std::to_string(made.id));
    co_return response;
}

Task<Response> PreheatApi::list(ApiCall call)
{
    CO_TRY(const auto query, list_query_of(call.query));
    auto task = desk_.list(call.caller, query);
    CO_TRY(const auto page, co_await std::move(task));
    json::array items;
    for (const auto& preheat : page.items) items.push_back(preheat_json(preheat));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> PreheatApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    auto task = desk_.find(call.caller, id);
    CO_TRY(const auto preheat, co_await std::move(task));
    co_return json_response(preheat_json(preheat));
}

Task<Response> PreheatApi::nodes(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto state, call.query.plain("state"));
    if (!state.empty()) {
        if (!node_preheat_named(state)) co_return fail(Errc::bad_request, "there is no such state");
        query.conditions.push_back({.field = "state", .kind = ListCondition::Kind::equal, .values = {state}});
    }
    CO_TRY(const auto preheat, co_await desk_.find(call.caller, id));
    auto task = desk_.nodes(call.caller, id, query);
    CO_TRY(const auto page, co_await std::move(task));
    json::array items;
    for (const auto& node : page.items) items.push_back(node_json(node, preheat.bytes));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> PreheatApi::cancel(ApiCall call)
{
    call.audit->resource_type = "preheat";
    call.audit->resource = call.path.at(0);
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    auto task = desk_.cancel(call.caller, id);
    CO_TRY(const auto before, co_await std::move(task));
    note(call, before);
    call.audit->before = json::serialize(preheat_json(before));
    co_return Response{};
}

}  // namespace entrepot
