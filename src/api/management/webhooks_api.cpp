#include "api/management/webhooks_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/webhook_json.hpp"
#include "events/audit/audit_format.hpp"

#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::string_view system_path = "/api/v2.0/system/";

// Harbor's statuses as the queue's states; nothing for what is none.
std::string_view state_of_status(std::string_view status) noexcept
{
    if (status == "Pending") return "waiting";
    if (status == "Scheduled") return "delayed";
    if (status == "Running") return "running";
    if (status == "Success") return "succeeded";
    if (status == "Error") return "failed";
    if (status == "Stopped") return "stopped";
    return "";
}

// Of `status` in a request's query: one, or several with commas.
Result<> add_status(const Query& query, ListQuery& into)
{
    ListCondition wanted{.field = "state", .kind = ListCondition::Kind::any_of, .values = {}};
    auto words = query.first("status").value_or("");
    while (!words.empty()) {
        const auto word = words.substr(0, words.find(','));
        words.remove_prefix(std::min(word.size() + 1, words.size()));
        const auto state = state_of_status(word);
        if (state.empty()) return fail(Errc::bad_request, "there is no status \"" + std::string{word} + "\"");
        wanted.values.emplace_back(state);
    }
    if (!wanted.values.empty()) into.conditions.push_back(std::move(wanted));
    return {};
}

}  // namespace

void WebhooksApi::add_to(ApiRouter& router)
{
    for (const std::string base : {"projects/{project_name_or_id}/webhook", "system/webhook"}) {
        const auto at = [&](const char* path) -> std::string_view { return patterns_.emplace_back(base + path); };
        const auto policies = at("/policies");
        const auto policy = at("/policies/{webhook_policy_id}");
        const auto execution = std::string{"/policies/{webhook_policy_id}/executions/{execution_id}"};
        router.get(policies, [this](ApiCall call) { return list(std::move(call)); });
        router.post(policies, [this](ApiCall call) { return create(std::move(call)); });
        router.get(policy, [this](ApiCall call) { return read(std::move(call)); });
        router.put(policy, [this](ApiCall call) { return update(std::move(call)); });
        router.del(policy, [this](ApiCall call) { return remove(std::move(call)); });
        router.get(at("/events"), [this](ApiCall call) { return choices(std::move(call)); });
        router.get(at("/lasttrigger"), [this](ApiCall call) { return last_triggers(std::move(call)); });
        router.get(at("/jobs"), [this](ApiCall call) { return jobs(std::move(call)); });
        router.get(at("/policies/{webhook_policy_id}/executions"), [this](ApiCall call) {
            return executions(std::move(call));
        });
        router.get(at((execution + "/tasks").c_str()), [this](ApiCall call) { return tasks(std::move(call)); });
        router.get(at((execution + "/tasks/{task_id}/log").c_str()), [this](ApiCall call) {
            return log(std::move(call));
        });
        router.post(at((execution + "/redelivery").c_str()), [this](ApiCall call) {
            return redeliver(std::move(call));
        });
    }
}

Result<WebhooksApi::Scope> WebhooksApi::scope_of(const ApiCall& call) const
{
    Scope scope;
    const bool of_system = call.request.path.starts_with(system_path);
    if (of_system) {
        scope.base = "/api/v2.0/system/webhook/policies/";
    } else {
        TRY(const auto project, project_of(call, needs_.policy, call.path.at(0)));
        scope.project_id = project->id;
        scope.base = "/api/v2.0/projects/" + std::to_string(project->id) + "/webhook/policies/";
    }
    for (std::size_t i = of_system ? 0 : 1; i < call.path.size(); ++i) {
        TRY(const auto id, parse_id(call.path[i]));
        scope.ids.push_back(id);
    }
    return scope;
}

void WebhooksApi::note(const ApiCall& call, const Scope& scope, std::string_view name) const
{
    call.audit->resource_type = "webhook";
    call.audit->resource = name;
    call.audit->project_id = scope.project_id;
    if (const auto project = needs_.policy.project(scope.project_id)) {
        call.audit->tenant_id = project->tenant_id;
        call.audit->resource = std::string{project->name} + "/" + std::string{name};
    }
}

Task<Response> WebhooksApi::list(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await needs_.webhooks.list(call.caller, scope.project_id, query));
    json::array items;
    for (const auto& policy : page.items) items.push_back(webhook_policy_json(policy, needs_.clock.now()));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> WebhooksApi::create(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto input, webhook_policy_in(body));
    note(call, scope, input.name);
    CO_TRY(const auto made, co_await needs_.webhooks.create(call.caller, scope.project_id, std::move(input)));
    call.audit->after = json::serialize(webhook_policy_json(made, needs_.clock.now()));
    co_return created_response(scope.base + std::to_string(made.id));
}

Task<Response> WebhooksApi::read(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto policy, co_await needs_.webhooks.find(call.caller, scope.project_id, scope.ids.at(0)));
    co_return json_response(webhook_policy_json(policy, needs_.clock.now()));
}

Task<Response> WebhooksApi::update(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto input, webhook_policy_in(body));
    note(call, scope, input.name);
    CO_TRY(
        const auto after,
        co_await needs_.webhooks.change(call.caller, scope.project_id, scope.ids.at(0), std::move(input))
    );
    call.audit->after = json::serialize(webhook_policy_json(after, needs_.clock.now()));
    co_return Response{};
}

Task<Response> WebhooksApi::remove(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    note(call, scope, std::to_string(scope.ids.at(0)));
    CO_TRY(const auto removed, co_await needs_.webhooks.remove(call.caller, scope.project_id, scope.ids.at(0)));
    note(call, scope, removed.name);
    call.audit->before = json::serialize(webhook_policy_json(removed, needs_.clock.now()));
    co_return Response{};
}

Task<Response> WebhooksApi::choices(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_CHECK(needs_.webhooks.may_list(call.caller, scope.project_id));
    co_return json_response(webhook_choices_json(scope.project_id == 0));
}

Task<Response> WebhooksApi::last_triggers(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto triggers, co_await needs_.webhooks.last_triggers(call.caller, scope.project_id));
    co_return json_response(webhook_triggers_json(triggers));
}

Task<Response> WebhooksApi::jobs(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    if (!call.query.first("policy_id")) co_return fail(Errc::bad_request, "policy_id is missing");
    CO_TRY(const auto policy_id, parse_id(*call.query.first("policy_id")));
    CO_TRY(auto query, list_query_of(call.query));
    CO_CHECK(add_status(call.query, query));
    CO_TRY(const auto page, co_await needs_.webhooks.deliveries(call.caller, scope.project_id, policy_id, query));
    json::array items;
    for (const auto& job : page.items) items.push_back(webhook_job_json(job));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> WebhooksApi::executions(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(auto query, list_query_of(call.query));
    CO_CHECK(add_status(call.query, query));
    CO_TRY(const auto page, co_await needs_.webhooks.deliveries(call.caller, scope.project_id, scope.ids.at(0), query));
    json::array items;
    for (const auto& job : page.items) items.push_back(webhook_execution_json(job));
    co_return list_response(call.request, std::move(items), query, page.total);
}

// A delivery is one job, execution and its only task at once.
Task<Response> WebhooksApi::tasks(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(
        const auto job,
        co_await needs_.webhooks.delivery(call.caller, scope.project_id, scope.ids.at(0), scope.ids.at(1))
    );
    json::array items;
    if (query.offset == 0) items.push_back(webhook_task_json(job));
    co_return list_response(call.request, std::move(items), query, 1);
}

Task<Response> WebhooksApi::log(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    if (scope.ids.at(1) != scope.ids.at(2)) co_return fail(Errc::not_found, "the execution has no such task");
    CO_TRY(
        const auto lines,
        co_await needs_.webhooks.delivery_log(call.caller, scope.project_id, scope.ids.at(0), scope.ids.at(1))
    );
    std::string text;
    for (const auto& line : lines) text += audit_time(line.at) + " " + line.text + "\n";
    Response response;
    response.add("Content-Type", "text/plain");
    response.body = std::move(text);
    co_return response;
}

Task<Response> WebhooksApi::redeliver(ApiCall call)
{
    CO_TRY(const auto scope, scope_of(call));
    note(call, scope, std::to_string(scope.ids.at(0)));
    call.audit->operation = "redeliver";
    CO_TRY(
        const auto id,
        co_await needs_.webhooks.redeliver(call.caller, scope.project_id, scope.ids.at(0), scope.ids.at(1))
    );
    co_return created_response(
        scope.base + std::to_string(scope.ids.at(0)) + "/executions/" + std::to_string(id) + "/tasks"
    );
}

}  // namespace entrepot
