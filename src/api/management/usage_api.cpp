#include "api/management/usage_api.hpp"

#include "api/management/api_values.hpp"
#include "api/management/project_of.hpp"
#include "api/management/tenant_of.hpp"

#include <boost/json/array.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr Micros day_length = 86'400'000'000;
constexpr std::int64_t usual_days = 31;
constexpr std::int64_t most_days = 3660;

std::string date_of(std::int64_t day)
{
    return rfc3339(day * day_length).substr(0, 10);
}

// "2026-11-22"
Result<std::optional<std::int64_t>> day_of(const Query& query, std::string_view name)
{
    const auto text = query.first(name);
    if (!text) return std::nullopt;
    const auto time = text->size() == 10 ? parse_time(std::string{*text} + "T00:00:00Z") : std::nullopt;
    if (!time || *time < 0) {
        return fail(Errc::bad_request, std::string{name} + " has to be a day, such as 2026-11-22");
    }
    return *time / day_length;
}

json::object usage_json(const Usage& usage)
{
    return {
        {"charged_bytes", usage.charged},
        {"referenced_bytes", usage.referenced},
        {"stored_bytes", usage.stored},
        {"saved_bytes", usage.referenced - usage.stored},
        {"artifact_count", usage.artifacts},
    };
}

}  // namespace

void UsageApi::add_to(ApiRouter& router)
{
    router.get("tenants/{tenant_name_or_id}/usage", [this](ApiCall call) { return of_tenant(std::move(call)); });
    router.get("tenants/{tenant_name_or_id}/usage/projects", [this](ApiCall call) {
        return projects_of_tenant(std::move(call));
    });
    router.get("projects/{project_name_or_id}/usage", [this](ApiCall call) { return of_project(std::move(call)); });
}

Result<> UsageApi::read_days(const ApiCall& call, UsageSpan& span) const
{
    TRY(const auto from, day_of(call.query, "from"));
    TRY(const auto to, day_of(call.query, "to"));
    span.last_day = to.value_or(needs_.clock.now() / day_length);
    span.first_day = from.value_or(span.last_day - usual_days + 1);
    if (span.first_day > span.last_day) return fail(Errc::bad_request, "from comes after to");
    if (span.last_day - span.first_day >= most_days) {
        return fail(Errc::bad_request, "from and to are at most " + std::to_string(most_days) + " days apart");
    }
    return {};
}

Task<Response> UsageApi::of_tenant(ApiCall call)
{
    CO_TRY(const auto tenant, tenant_of(call, needs_.policy, call.path.at(0)));
    const UsageSpan span{.tenant_id = tenant->id};
    co_return co_await days(std::move(call), span);
}

Task<Response> UsageApi::of_project(ApiCall call)
{
    CO_TRY(const auto project, project_of(call, needs_.policy, call.path.at(0)));
    const UsageSpan span{.project_id = project->id};
    co_return co_await days(std::move(call), span);
}

Task<Response> UsageApi::days(ApiCall call, UsageSpan span)
{
    CO_CHECK(read_days(call, span));
    CO_TRY(const auto days, co_await needs_.reports.by_day(call.caller, span));
    json::array items;
    for (const auto& day : days) {
        auto item = usage_json(day.usage);
        item["day"] = date_of(day.day);
        item["project_count"] = day.projects;
        items.push_back(std::move(item));
    }
    co_return json_response(json::value(std::move(items)));
}

Task<Response> UsageApi::projects_of_tenant(ApiCall call)
{
    CO_TRY(const auto tenant, tenant_of(call, needs_.policy, call.path.at(0)));
    UsageSpan span{.tenant_id = tenant->id};
    CO_CHECK(read_days(call, span));
    CO_TRY(const auto query, list_query_of(call.query));
    if (!query.conditions.empty() || !query.order.empty()) {
        co_return fail(Errc::bad_request, "this list has neither q nor sort");
    }
    CO_TRY(const auto page, co_await needs_.reports.by_project(call.caller, span, query));
    json::array items;
    for (const auto& project : page.items) {
        // Averages of the days that were measured; how many those are is what a bill multiplies them by.
        const auto mean = [&](std::int64_t sum) { return sum / std::max<std::int64_t>(project.days, 1); };
        const auto& sums = project.byte_days;
        auto item = usage_json({mean(sums.charged), mean(sums.referenced), mean(sums.stored), mean(sums.artifacts)});
        item["project_id"] = project.project_id;
        item["project_name"] = project.project;
        item["days"] = project.days;
        items.push_back(std::move(item));
    }
    co_return list_response(call.request, std::move(items), query, page.total);
}

}  // namespace entrepot
