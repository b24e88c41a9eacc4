#include "api/management/retentions_api.hpp"

#include "api/management/retention_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

std::string location_of(const ApiCall& call, std::int64_t id)
{
    return std::string{call.request.path} + "/" + std::to_string(id);
}

}  // namespace

void RetentionsApi::add_to(ApiRouter& router)
{
    router.get("retentions/metadatas", [](ApiCall) -> Task<Response> {
        co_return json_response(retention_metadata_json());
    });
    router.post("retentions", [this](ApiCall call) { return create(std::move(call)); });
    router.get("retentions/{id}", [this](ApiCall call) { return read(std::move(call)); });
    router.put("retentions/{id}", [this](ApiCall call) { return update(std::move(call)); });
    router.del("retentions/{id}", [this](ApiCall call) { return remove(std::move(call)); });
    router.post("retentions/{id}/executions", [this](ApiCall call) { return run(std::move(call)); });
    router.get("retentions/{id}/executions", [this](ApiCall call) { return executions(std::move(call)); });
    router.get("retentions/{id}/executions/{eid}", [this](ApiCall call) { return execution(std::move(call)); });
    router.patch("retentions/{id}/executions/{eid}", [this](ApiCall call) { return stop(std::move(call)); });
    router.get("retentions/{id}/executions/{eid}/tasks", [this](ApiCall call) { return tasks(std::move(call)); });
    router.get("retentions/{id}/executions/{eid}/tasks/{tid}", [this](ApiCall call) {
        return task_log(std::move(call));
    });
}

void RetentionsApi::note(const ApiCall& call, std::int64_t project_id, std::string resource) const
{
    call.audit->resource_type = "retention-policy";
    call.audit->resource = std::move(resource);
    call.audit->project_id = project_id;
    if (const auto project = policy_.project(project_id)) call.audit->tenant_id = project->tenant_id;
}

Task<Response> RetentionsApi::create(ApiCall call)
{
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, policy_of_body(body));
    note(call, policy.project_id, "");
    CO_TRY(policy.id, co_await retentions_.create(call.caller, policy));
    note(call, policy.project_id, std::to_string(policy.id));
    call.audit->after = json::serialize(policy_json(policy));
    co_return created_response(location_of(call, policy.id));
}

Task<Response> RetentionsApi::read(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto policy, co_await retentions_.find(call.caller, id));
    co_return json_response(policy_json(policy));
}

Task<Response> RetentionsApi::update(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, 0, call.path.at(0));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(auto policy, policy_of_body(body));
    policy.id = id;
    call.audit->after = json::serialize(policy_json(policy));
    CO_TRY(const auto before, co_await retentions_.change(call.caller, std::move(policy)));
    note(call, before.project_id, call.path.at(0));
    call.audit->before = json::serialize(policy_json(before));
    co_return Response{};
}

Task<Response> RetentionsApi::remove(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, 0, call.path.at(0));
    CO_TRY(const auto removed, co_await retentions_.remove(call.caller, id));
    note(call, removed.project_id, call.path.at(0));
    call.audit->before = json::serialize(policy_json(removed));
    co_return Response{};
}

Task<Response> RetentionsApi::run(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    note(call, 0, call.path.at(0));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto dry_run, body.optional_boolean("dry_run"));
    CO_TRY(const auto confirm_all, body.optional_boolean("confirm_all"));
    const Retentions::Run run{.dry_run = dry_run.value_or(false), .confirm_all = confirm_all.value_or(false)};
    CO_TRY(const auto execution, co_await retentions_.run(call.caller, id, run));
    CO_TRY(const auto policy, co_await retentions_.find(call.caller, id));
    note(call, policy.project_id, call.path.at(0));
    call.audit->after = json::serialize(json::object{{"execution_id", execution}, {"dry_run", run.dry_run}});
    co_return created_response(location_of(call, execution));
}

Task<Response> RetentionsApi::executions(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await retentions_.executions(call.caller, id, query));
    json::array listed;
    for (const auto& job : page.items) listed.push_back(retention_execution_json(job));
    co_return list_response(call.request, std::move(listed), query, page.total);
}

Task<Response> RetentionsApi::execution(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto execution, parse_id(call.path.at(1)));
    CO_TRY(const auto job, co_await retentions_.execution(call.caller, id, execution));
    co_return json_response(retention_execution_json(job));
}

Task<Response> RetentionsApi::stop(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto execution, parse_id(call.path.at(1)));
    note(call, 0, call.path.at(0) + "/" + call.path.at(1));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto action, body.text("action"));
    if (action != "stop") co_return fail(Errc::bad_request, "the action is stop");
    CO_TRY(const auto policy, co_await retentions_.find(call.caller, id));
    note(call, policy.project_id, call.path.at(0) + "/" + call.path.at(1));
    CO_CHECK(co_await retentions_.stop(call.caller, id, execution));
    co_return Response{};
}

Task<Response> RetentionsApi::tasks(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto execution, parse_id(call.path.at(1)));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto tasks, co_await retentions_.tasks(call.caller, id, execution, query));
    json::array listed;
    for (const auto& task : tasks.page.items) listed.push_back(retention_task_json(task, tasks.execution));
    co_return list_response(call.request, std::move(listed), query, tasks.page.total);
}

Task<Response> RetentionsApi::task_log(ApiCall call)
{
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto execution, parse_id(call.path.at(1)));
    CO_TRY(const auto task, parse_id(call.path.at(2)));
    CO_TRY(auto text, co_await retentions_.task_log(call.caller, id, execution, task));
    Response response;
    response.add("Content-Type", "text/plain; charset=utf-8");
    response.body = std::move(text);
    co_return response;
}

}  // namespace entrepot
