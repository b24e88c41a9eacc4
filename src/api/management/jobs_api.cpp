#include "api/management/jobs_api.hpp"

#include "access/require.hpp"
#include "api/management/api_values.hpp"
#include "api/management/job_json.hpp"
#include "api/management/job_types.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

const Permission list_jobs = need(ObjectKind::platform, "jobservice-monitor", "list");
const Permission stop_jobs = need(ObjectKind::platform, "jobservice-monitor", "stop");

constexpr std::string_view all = "all";

// Workers that do nothing are there, too: whoever counts them wants to know how many are free.
void append_workers(json::array& items, const JobWorker& pool, const std::vector<Job>& running)
{
    std::int64_t number = 0;
    for (const auto& job : running) {
        if (job.worker != pool.id) continue;
        items.push_back(json::object{
            {"id", pool.id + ":" + std::to_string(++number)},
            {"pool_id", pool.id},
            {"job_name", job_type_of(job.kind)},
            {"job_id", std::to_string(job.id)},
            {"start_at", rfc3339(job.started_at)},
            {"check_in", job.progress},
        });
    }
    while (number < pool.concurrency) {
        items.push_back(json::object{{"id", pool.id + ":" + std::to_string(++number)}, {"pool_id", pool.id}});
    }
}

json::object task_json(const Schedule& schedule)
{
    return {
        {"id", schedule.id},
        {"vendor_type", job_type_of(schedule.kind)},
        {"vendor_id", schedule.subject_id},
        {"cron", schedule.cron},
        {"update_time", rfc3339(schedule.actor.at)},
    };
}

}  // namespace

void JobsApi::add_to(ApiRouter& router)
{
    router.get("jobservice/pools", [this](ApiCall call) { return pools(std::move(call)); });
    router.get("jobservice/pools/{pool_id}/workers", [this](ApiCall call) { return workers(std::move(call)); });
    router.get("jobservice/queues", [this](ApiCall call) { return queues(std::move(call)); });
    router.put("jobservice/queues/{job_type}", [this](ApiCall call) { return steer_queue(std::move(call)); });
    router.put("jobservice/jobs/{job_id}", [this](ApiCall call) { return stop_running(std::move(call)); });
    router.get("jobservice/jobs/{job_id}/log", [this](ApiCall call) { return log(std::move(call)); });
    router.get("schedules", [this](ApiCall call) { return schedules(std::move(call)); });
    router.get("schedules/{job_type}/paused", [this](ApiCall call) { return schedules_paused(std::move(call)); });
    router.get("jobs", [this](ApiCall call) { return list(std::move(call)); });
    router.get("jobs/{job_id}", [this](ApiCall call) { return one(std::move(call)); });
    router.get("jobs/{job_id}/log", [this](ApiCall call) { return log(std::move(call)); });
    router.put("jobs/{job_id}/stop", [this](ApiCall call) { return stop(std::move(call)); });
    router.post("jobs/{job_id}/retry", [this](ApiCall call) { return retry(std::move(call)); });
}

Task<Response> JobsApi::pools(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto pools, co_await jobs_.workers());
    json::array items;
    for (const auto& pool : pools) {
        items.push_back(json::object{
            {"worker_pool_id", pool.id},
            {"pid", pool.pid},
            {"host", pool.host},
            {"concurrency", pool.concurrency},
            {"start_at", rfc3339(pool.started_at)},
            {"heartbeat_at", rfc3339(pool.heartbeat_at)},
        });
    }
    co_return json_response(items);
}

Task<Response> JobsApi::workers(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    const auto& wanted = call.path.at(0);
    CO_TRY(const auto pools, co_await jobs_.workers());
    CO_TRY(const auto running, co_await jobs_.running());
    json::array items;
    bool found = wanted == all;
    for (const auto& pool : pools) {
        if (wanted != all && pool.id != wanted) continue;
        found = true;
        append_workers(items, pool, running);
    }
    if (!found) co_return fail(Errc::not_found, "there is no such worker pool");
    co_return json_response(items);
}

Task<Response> JobsApi::queues(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto queues, co_await jobs_.queues());
    json::array items;
    for (const auto& queue : queues) {
        const auto age = queue.oldest_waiting == 0 ? 0 : (clock_.now() - queue.oldest_waiting) / 1'000'000;
        items.push_back(json::object{
            {"job_type", job_type_of(queue.kind)},
            {"count", queue.waiting},
            {"latency", std::max<std::int64_t>(age, 0)},
            {"paused", queue.paused},
            {"delayed", queue.delayed},
            {"running", queue.running},
            {"failed", queue.failed},
        });
    }
    co_return json_response(items);
}

Task<Response> JobsApi::steer_queue(ApiCall call)
{
    const auto type = call.path.at(0);
    call.audit->resource_type = "job-queue";
    call.audit->resource = type;
    CO_CHECK(require(policy_, call.caller, stop_jobs, the_platform));
    CO_TRY(const auto body, co_await JsonBody::read(call.body));
    CO_TRY(const auto action, body.text("action"));
    if (action != "stop" && action != "pause" && action != "resume") {
        co_return fail(Errc::unprocessable, "the action is stop, pause or resume");
    }
    call.audit->operation = action;
    CO_TRY(const auto queues, co_await jobs_.queues());
    const auto kind = job_kind_of(type);
    bool found = false;
    for (const auto& queue : queues) {
        if (type != all && queue.kind != kind) continue;
        found = true;
        if (action == "stop") {
            CO_CHECK(co_await jobs_.stop_queue(queue.kind));
        } else {
            CO_CHECK(co_await jobs_.pause(queue.kind, action == "pause"));
        }
    }
    if (!found) co_return fail(Errc::not_found, "there is no queue of such jobs");
    co_return Response{};
}

Task<Response> JobsApi::stop_running(ApiCall call)
{
    if (call.path.at(0) != all) co_return co_await stop(std::move(call));
    call.audit->resource_type = "job";
    call.audit->resource = all;
    CO_CHECK(require(policy_, call.caller, stop_jobs, the_platform));
    CO_CHECK(co_await jobs_.stop_running());
    co_return Response{};
}

Task<Response> JobsApi::schedules(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await schedules_.list(query));
    json::array items;
    for (const auto& schedule : page.items) items.push_back(task_json(schedule));
    co_return list_response(call.request, std::move(items), query, page.total);
}

// Harbor knows "all" here alone; a single kind is paused when its queue is.
Task<Response> JobsApi::schedules_paused(ApiCall call)
{
    const auto& type = call.path.at(0);
    CO_TRY(const bool everything, co_await jobs_.is_paused(Schedules::paused_kind));
    bool paused = everything;
    if (type != all && !paused) {
        CO_TRY(paused, co_await jobs_.is_paused(job_kind_of(type)));
    }
    co_return json_response(json::object{{"paused", paused}});
}

Task<Response> JobsApi::list(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto query, list_query_of(call.query));
    CO_TRY(const auto page, co_await jobs_.list(query));
    json::array items;
    for (const auto& job : page.items) items.push_back(job_json(job));
    co_return list_response(call.request, std::move(items), query, page.total);
}

Task<Response> JobsApi::one(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(const auto job, co_await jobs_.find(id));
    auto object = job_json(job);
    object["parameters"] = json_or_text(job.parameters);
    co_return json_response(object);
}

Task<Response> JobsApi::log(ApiCall call)
{
    CO_CHECK(require(policy_, call.caller, list_jobs, the_platform));
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_TRY(auto text, co_await jobs_.log_text(id));
    co_return text_response(std::move(text));
}

Task<Response> JobsApi::stop(ApiCall call)
{
    call.audit->resource_type = "job";
    call.audit->resource = call.path.at(0);
    call.audit->operation = "stop";
    CO_CHECK(require(policy_, call.caller, stop_jobs, the_platform));
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_CHECK(co_await jobs_.stop(id));
    co_return Response{};
}

Task<Response> JobsApi::retry(ApiCall call)
{
    call.audit->resource_type = "job";
    call.audit->resource = call.path.at(0);
    call.audit->operation = "retry";
    CO_CHECK(require(policy_, call.caller, stop_jobs, the_platform));
    CO_TRY(const auto id, parse_id(call.path.at(0)));
    CO_CHECK(co_await jobs_.retry(id));
    Response accepted;
    accepted.status = 202;
    co_return accepted;
}

}  // namespace entrepot
