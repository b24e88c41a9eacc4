#include "api/management/system_jobs_api.hpp"

#include "access/require.hpp"
#include "api/management/audit_api.hpp"
#include "api/management/job_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t longest_retention = 240'000;  // hours, as in Harbor

// The trail is a chain: records of some kinds can't be taken out of it.
Result<> check_event_types(std::string_view types)
{
    for (const auto* name : audit_event_types()) {
        bool named = false;
        for (std::string_view rest = types; !rest.empty();) {
            const auto comma = std::min(rest.find(','), rest.size());
            named = named || rest.substr(0, comma) == name;
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
        if (named) continue;
        return fail(
            Errc::bad_request,
            "records of all kinds are purged together: include_event_types has to name every kind (" +
                std::string{name} + " is missing) or be left out"
        );
    }
    return {};
}

Result<json::object> purge_parameters(const JsonBody& given)
{
    TRY(const auto hours, given.optional_integer("audit_retention_hour"));
    if (!hours || *hours < 1 || *hours > longest_retention) {
        return fail(
            Errc::bad_request,
            "audit_retention_hour has to be a number of hours from 1 to " + std::to_string(longest_retention)
        );
    }
    TRY(const auto types, given.optional_text("include_event_types"));
    if (types && !types->empty()) CHECK(check_event_types(*types));
    TRY(const auto dry_run, given.optional_boolean("dry_run"));
    return json::object{{"audit_retention_hour", *hours}, {"dry_run", dry_run.value_or(false)}};
}

// `workers` is Harbor's; here the store knows how many bytes it can remove at once.
constexpr std::int64_t most_workers = 5;
constexpr std::int64_t highest_rate = 1'000'000;

Result<json::object> garbage_parameters(const JsonBody& given)
{
    TRY(const auto untagged, given.optional_boolean("delete_untagged"));
    TRY(const auto dry_run, given.optional_boolean("dry_run"));
    TRY(const auto workers, given.optional_integer("workers"));
    TRY(const auto rate, given.optional_integer("rate"));
    if (workers && (*workers < 1 || *workers > most_workers)) {
        return fail(Errc::bad_request, "workers has to be a number from 1 to " + std::to_string(most_workers));
    }
    if (rate && (*rate < 0 || *rate > highest_rate)) {
        return fail(
            Errc::bad_request, "rate has to be a number of removals a second up to " + std::to_string(highest_rate)
        );
    }
    return json::object{
        {"delete_untagged", untagged.value_or(false)},
        {"dry_run", dry_run.value_or(false)},
        {"workers", workers.value_or(1)},
        {"rate", rate.value_or(0)},
    };
}

void add_what_was_freed(json::object& parameters, const json::object& result)
{
    constexpr std::pair<std::string_view, std::string_view> names[] = {
        {"freed_bytes", "freed_space"}, {"blobs", "purged_blobs"}, {"manifests", "purged_manifests"}
    };
    for (const auto& [ours, harbors] : names) {
        if (const auto* value = result.if_contains(ours)) parameters[harbors] = *value;
    }
}

bool is_dry_run(const json::object& parameters)
{
    const auto* dry_run = parameters.if_contains("dry_run");
    return dry_run && dry_run->is_bool() && dry_run->as_bool();
}

}  // namespace

SystemJob purge_audit_job()
{
    return {
        .path = "system/purgeaudit",
        .id = "purge_id",
        .kind = "purge_audit",
        .resource = "purge-audit",
        .parameters = purge_parameters,
    };
}

SystemJob garbage_collection_job()
{
    return {
        .path = "system/gc",
        .id = "gc_id",
        .kind = "gc",
        .resource = "garbage-collection",
        .parameters = garbage_parameters,
        .add_outcome = add_what_was_freed,
    };
}

SystemJob quota_recount_job()
{
    return {
        .path = "system/quota-recount",
        .id = "recount_id",
        .kind = "quota_recount",
        .resource = "quota-recount",
        .parameters = [](const JsonBody&) -> Result<json::object> { return json::object{}; },
    };
}

SystemJobsApi::SystemJobsApi(SystemJob job, const Needs& needs)
    : job_{std::move(job)},
      needs_{needs},
      list_{need(ObjectKind::platform, job_.resource, "list")},
      read_{need(ObjectKind::platform, job_.resource, "read")},
      create_{need(ObjectKind::platform, job_.resource, "create")},
      update_{need(ObjectKind::platform, job_.resource, "update")},
      stop_{need(ObjectKind::platform, job_.resource, "stop")},
      one_path_{job_.path + "/{" + job_.id + "}"},
      log_path_{one_path_ + "/log"},
      schedule_path_{job_.path + "/schedule"}
{
}

void SystemJobsApi::add_to(ApiRouter& router)
{
    router.get(job_.path, [this](ApiCall call) { return list(std::move(call)); });
    router.get(schedule_path_, [this](ApiCall call) { return schedule(std::move(call)); });
    router.post(schedule_path_, [this](ApiCall call) { return set_schedule(std::move(call), create_); });
    router.put(schedule_path_, [this](ApiCall call) { return set_schedule(std::move(call), update_); });
    router.get(one_path_, [this](ApiCall call) { return one(std::move(call)); });
    router.put(one_path_, [this](ApiCall call) { return stop(std::move(call)); });
    router.get(log_path_, [this](ApiCall call) { return log(std::move(call)); });
}

Task<Response> SystemJobsApi::list(ApiCall call)
{
    CO_CHECK(require(needs_.policy, call.caller, list_, the_platform));
    CO_TRY(auto query, list_query_of(call.query));
    auto asked = query;
    query.conditions.push_back({.field = "kind", .values = {job_.kind}});
    CO_TRY(const auto page, co_await needs_.jobs.list(std::move(query)));
    json::array items;
    for (const auto& job : page.items) items.push_back(shown(job));
    co_return list_response(call.request, std::move(items), asked, page.total);
}

json::object SystemJobsApi::shown(const Job& job) const
{
    auto object = execution_json(job);
    const auto result = json_or_text(job.result);
    auto parameters = json_or_text(job.parameters);
    if (!job_.add_outcome || !result.is_object() || !parameters.is_object()) return object;
    job_.add_outcome(parameters.as_object(), result.as_object());
    object["job_parameters"] = json::serialize(parameters);
    return object;
}

Task<Job> SystemJobsApi::find(const std::string& text)
{
    CO_TRY(const auto id, parse_id(text));
    CO_TRY(auto job, co_await needs_.jobs.find(id));
    if (job.kind != job_.kind) co_return fail(Errc::not_found, "there is no such job");
    co_return job;
}

Task<Response> SystemJobsApi::one(ApiCall call)
{
    CO_CHECK(require(needs_.policy, call.caller, read_, the_platform));
    CO_TRY(const auto job, co_await find(call.path.at(0)));
    co_return json_response(shown(job));
}

Task<Response> SystemJobsApi::log(ApiCall call)
{
    CO_CHECK(require(needs_.policy, call.caller, read_, the_platform));
    CO_TRY(const auto job, co_await find(call.path.at(0)));
    CO_TRY(auto text, co_await needs_.jobs.log_text(job.id));
    co_return text_response(std::move(text));
}

Task<Response> SystemJobsApi::stop(ApiCall call)
{
    call.audit->operation = "stop";
    call.audit->resource_type = job_.resource;
    call.audit->resource = call.path.at(0);
    CO_CHECK(require(needs_.policy, call.caller, stop_, the_platform));
    CO_TRY(const auto job, co_await find(call.path.at(0)));
    CO_CHECK(co_await needs_.jobs.stop(job.id));
    co_return Response{};
}

Task<Response> SystemJobsApi::schedule(ApiCall call)
{
    CO_CHECK(require(needs_.policy, call.caller, read_, the_platform));
    const auto schedule = co_await needs_.schedules.find(job_.kind, 0);
    if (schedule) co_return json_response(schedule_json(*schedule));
    if (schedule.error().code() != Errc::not_found) co_return std::unexpected{schedule.error()};
    co_return json_response(json::object{});
}

// The path of the execution.
Task<std::string> SystemJobsApi::start(std::int64_t user_id, json::object parameters)
{
    NewJob job;
    job.kind = job_.kind;
    // A dry run is in nobody's way.
    if (!is_dry_run(parameters)) job.unique_key = job_.kind;
    job.parameters = json::serialize(parameters);
    job.actor = {user_id, needs_.clock.now()};
    std::vector<NewJob> jobs;
    jobs.push_back(std::move(job));
    CO_TRY(const auto ids, co_await needs_.queue.add(std::move(jobs)));
    co_return job_.path + "/" + std::to_string(ids.front());
}

// The path of what was set.
Task<std::string> SystemJobsApi::set(std::int64_t user_id, JsonBody body)
{
    CO_TRY(const auto when, body.optional_object("schedule"));
    if (!when) co_return fail(Errc::bad_request, "schedule is missing");
    CO_TRY(const auto type, when->text("type"));
    CO_TRY(const auto cron, when->optional_text("cron"));
    if (type == "None") {
        CO_CHECK(co_await needs_.schedules.remove(job_.kind, 0));
        co_return schedule_path_;
    }
    CO_TRY(const auto given, body.optional_object("parameters"));
    CO_TRY(const auto parameters, job_.parameters(given.value_or(JsonBody{json::object{}})));
    if (type == "Manual") co_return co_await start(user_id, parameters);
    Schedule schedule;
    schedule.kind = job_.kind;
    schedule.type = type;
    schedule.cron = cron.value_or("");
    schedule.parameters = json::serialize(parameters);
    schedule.unique_key = job_.kind;
    schedule.actor.user_id = user_id;
    CO_CHECK(co_await needs_.schedules.set(std::move(schedule)));
    co_return schedule_path_;
}

Task<Response> SystemJobsApi::set_schedule(ApiCall call, Permission permission)
{
    call.audit->resource_type = job_.resource;
    call.audit->resource = "schedule";
    CO_CHECK(require(needs_.policy, call.caller, permission, the_platform));
    CO_TRY(auto body, co_await JsonBody::read(call.body));
    call.audit->after = json::serialize(body.raw());
    CO_TRY(const auto path, co_await set(call.identity().user_id, std::move(body)));
    auto response = created_response("/api/v2.0/" + path);
    if (call.request.method == Method::put) response.status = 200;
    co_return response;
}

}  // namespace entrepot
