#include "api/management/replications_api.hpp"

#include "api/management/replication_json.hpp"
#include "core/percent.hpp"
#include "events/audit/audit_format.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view one_policy = "replication/policies/{id}";
constexpr std::string_view one_execution = "replication/executions/{id}";

void note(const ApiCall& call, std::string_view type, std::string_view resource)
{
    call.audit->resource_type = type;
    call.audit->resource = resource;
}

ListCondition equals(std::string field, std::string value)
{
    return {.field = std::move(field), .kind = ListCondition::Kind::equal, .values = {std::move(value)}};
}

// The names that Harbor's executions have for what the queue's jobs have.
std::string_view column_of(std::string_view field) noexcept
{
    if (field == "policy_id") return "subject_id";
    if (field == "status") return "outcome";
    if (field == "start_time") return "creation_time";
    return field;
}

Result<std::string> value_of(std::string_view field, const std::string& value)
{
    std::string_view known = value;
    if (field == "status") known = outcome_of_status(value);
    if (field == "trigger") known = cause_of_trigger(value);
    if (!known.empty()) return std::string{known};
    return fail(Errc::bad_request, "there is no " + std::string{field} + " \"" + value + "\" of executions");
}

Result<ListQuery> execution_query_of(const Query& query)
{
    TRY(auto list, list_query_of(query));
    for (const std::string_view field : {"policy_id", "status", "trigger"}) {
        TRY(auto value, query.plain(field));
        if (!value.empty()) list.conditions.push_back(equals(std::string{field}, std::move(value)));
    }
    for (auto& condition : list.conditions) {
        for (auto& value : condition.values) {
            TRY(value, value_of(condition.field, value));
        }
        condition.field = column_of(condition.field);
    }
    for (auto& order : list.order) order.field = column_of(order.field);
    return list;
}

Result<ListQuery> task_query_of(const Query& query)
{
    TRY(auto list, list_query_of(query));
    TRY(const auto status, query.plain("status"));
    if (!status.empty()) list.conditions.push_back(equals("status", status));
    for (auto& condition : list.conditions) {
        if (condition.field == "start_time") condition.field = "creation_time";
        if (condition.field != "status") continue;
        std::vector<std::string> states;
        for (const auto& value : condition.values) {
            auto some = states_of_task_status(value);
            if (some.empty()) return fail(Errc::bad_request, "there is no status \"" + value + "\" of tasks");
            states.insert(states.end(), some.begin(), some.end());
        }
        condition = {.field = "state", .kind = ListCondition::Kind::any_of, .values = std::move(states)};
    }
    for (auto& order : list.order) order.field = column_of(order.field);
    return list;
}

// An endpoint of each policy, in one statement.
Task<std::vector<RegistryEndpoint>> endpoints_of(Replications& replications, std::vector<ReplicationPolicy> policies)
{
    std::vector<std::int64_t> ids;
    for (const auto& policy : policies) ids.push_back(std::max(policy.source_id, policy.target_id));
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    return replications.endpoints(std::move(ids));
}

json::object shown(const ReplicationPolicy& policy, const std::vector<RegistryEndpoint>& endpoints)
{
    const auto id = std::max(policy.source_id, policy.target_id);
    const auto there = std::ranges::find(endpoints, id, &RegistryEndpoint::id);
    return replication_policy_json(policy, there == endpoints.end() ? nullptr : &*there);
}

std::string record_of(const ReplicationPolicy& policy)
{
    return json::serialize(replication_policy_json(policy, nullptr));
}

}  // namespace

void ReplicationsApi::add_to(ApiRouter& router)
{
    router.get("replication/policies", [this](ApiCall call) { return list(std::move(call)); });
    router.post("replication/policies", [this](ApiCall call) { return create(std::move(call)); });
    router.get(one_policy, [this](ApiCall call) { return read(std::move(call)); });
    router.put(one_policy, [this](ApiCall call) { return update(std::move(call)); });
    router.del(one_policy, [this](ApiCall call) { return remove(std::move(call)); });
    router.get("replication/policies/{id}/lag", [this](ApiCall call) { return lag(std::move(call)); });
    router.get("replication/policies/{id}/pending", [this](ApiCall call) { return pending(std::move(call)); });
    router.get("replication/lag", [this](ApiCall call) { return lag_of_all(std::move(call)); });
    router.get("replication/executions", [this](ApiCall call) { return executions(std::move(call)); });
    router.post("replication/executions", [this](ApiCall call) { return start(std::move(call)); });
    router.get(one_execution, [this](ApiCall call) { return execution(std::move(call)); });
    router.put(one_execution, [this](ApiCall call) { return stop(std::move(call)); });
    router.get("replication/executions/{id}/tasks", [this](ApiCall call) { return tasks(std::move(call)); });
    router.get("replication/executions/{id}/tasks/{task_id}/log", [this](ApiCall call) {
        return log(std::move(call));
    });
}

Task<Response> ReplicationsApi::list(ApiCall call)
{
    CO_TRY(auto query, list_query_of(call.query));
    CO_TRY(const auto name, call.query.plain("name"));
    if (!name.empty()) query.conditions.push_back({"name", ListCondition::Kind::fuzzy, {name}});
    CO_TRY(const auto page, co_await needs_.replications.list(call.caller, query));
    CO_TRY(const auto endpoints, co_await endpoints_of(needs_.replications, page.items));
    json::array items;
    for (const auto& policy : page.items) items.push_back(shown(policy, endpoints));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> ReplicationsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, replication_policy_in(body));
    note(call, "replication-policy", policy.name);
    CO_TRY(const auto made, co_await needs_.replications.create(call.caller, std::move(policy)));
    call.audit->after = record_of(made);
    co_return created_response("/api/v2.0/replication/policies/" + std::to_string(made.id));
}

Task<Response> ReplicationsApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(auto policy, co_await needs_.replications.find(call.caller, id));
    const std::vector policies{policy};
    CO_TRY(const auto endpoints, co_await endpoints_of(needs_.replications, policies));
    co_return json_response(shown(policy, endpoints));
}

Task<Response> ReplicationsApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, "replication-policy", call.path.at(0));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, replication_policy_in(body));
    policy.id = id;
    CO_TRY(const auto changed, co_await needs_.replications.change(call.caller, std::move(policy)));
    note(call, "replication-policy", changed.after.name);
    call.audit->before = record_of(changed.before);
    call.audit->after = record_of(changed.after);
    co_return Response{};
}

Task<Response> ReplicationsApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, "replication-policy", call.path.at(0));
    CO_TRY(const auto removed, co_await needs_.replications.remove(call.caller, id));
    note(call, "replication-policy", removed.name);
    call.audit->before = record_of(removed);
    co_return Response{};
}

Task<Response> ReplicationsApi::lag(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto lag, co_await needs_.replications.lag(call.caller, id));
    co_return json_response(replication_lag_json(lag, needs_.clock.now()));
}

Task<Response> ReplicationsApi::lag_of_all(ApiCall call)
{
    CO_TRY(const auto all, co_await needs_.replications.lag(call.caller));
    json::array items;
    for (const auto& lag : all) items.push_back(replication_lag_json(lag, needs_.clock.now()));
    co_return json_response(items);
}

// By the place of the page before, as rows go while somebody reads.
Task<Response> ReplicationsApi::pending(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto repository, call.query.plain("after_repository"));
    CO_TRY(const auto reference, call.query.plain("after_reference"));
    CO_TRY(const auto lag, co_await needs_.replications.lag(call.caller, id));
    CO_TRY(const auto page, co_await needs_.replications.pending(call.caller, id, repository, reference, query.limit));
    json::array items;
    for (const auto& copy : page.pending) items.push_back(pending_copy_json(copy));
    auto response = json_response(items);
    response.add("X-Total-Count", std::to_string(lag.artifacts));
    if (page.more) {
        const auto& last = page.pending.back();
        response.add(
            "Link",
            "<" + std::string{call.request.path} + "?page_size=" + std::to_string(query.limit) +
                "&after_repository=" + percent_encoded(last.repository) +
                "&after_reference=" + percent_encoded(last.reference) + ">; rel=\"next\""
        );
    }
    co_return response;
}

Task<Response> ReplicationsApi::executions(ApiCall call)
{
    CO_TRY(const auto query, execution_query_of(call.query));
    CO_TRY(const auto page, co_await needs_.replications.executions(call.caller, std::nullopt, query));
    json::array items;
    for (const auto& execution : page.items) items.push_back(replication_execution_json(execution));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> ReplicationsApi::start(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto policy_id, body.optional_integer("policy_id"));
    note(call, "replication", std::to_string(policy_id.value_or(0)));
    if (policy_id.value_or(0) <= 0) co_return fail(Errc::bad_request, "policy_id is missing");
    CO_TRY(const auto id, co_await needs_.replications.start(call.caller, *policy_id));
    co_return created_response("/api/v2.0/replication/executions/" + std::to_string(id));
}

Task<Response> ReplicationsApi::execution(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto execution, co_await needs_.replications.execution(call.caller, id));
    co_return json_response(replication_execution_json(execution));
}

Task<Response> ReplicationsApi::stop(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, "replication", call.path.at(0));
    call.audit->operation = "stop";
    CO_CHECK(co_await needs_.replications.stop(call.caller, id));
    co_return Response{};
}

Task<Response> ReplicationsApi::tasks(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto query, task_query_of(call.query));
    CO_TRY(const auto kind, call.query.plain("resource_type"));
    CO_TRY(auto page, co_await needs_.replications.tasks(call.caller, id, query));
    // All that is copied is an image, or what looks like one to whoever copies.
    if (!kind.empty() && kind != "image") page = {};
    json::array items;
    for (const auto& job : page.items) items.push_back(replication_task_json(job));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> ReplicationsApi::log(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto task_id, parse_id(call.path.at(1)));
    CO_TRY(const auto lines, co_await needs_.replications.log(call.caller, id, task_id));
    std::string text;
    for (const auto& line : lines) text += audit_time(line.at) + " " + line.text + "\n";
    co_return text_response(std::move(text));
}

}  // namespace entrepot
