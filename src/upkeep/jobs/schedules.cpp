#include "upkeep/jobs/schedules.hpp"

#include "core/log.hpp"
#include "upkeep/jobs/cron.hpp"

#include <array>
#include <optional>
#include <utility>

namespace entrepot {

namespace {

constexpr std::int64_t fired_at_once = 100;
constexpr Micros late = 60'000'000;  // beyond this a time counts as missed

constexpr std::array<std::pair<std::string_view, const char*>, 3> usual{{
    {"Hourly", "0 0 * * * *"},
    {"Daily", "0 0 0 * * *"},
    {"Weekly", "0 0 0 * * 0"},
}};

// nullopt: never.
Result<std::optional<std::string>> cron_of(const std::string& type, const std::string& cron)
{
    if (type == "None" || type == "Manual") return std::nullopt;
    for (const auto& [name, text] : usual) {
        if (type == name) return cron.empty() ? text : cron;
    }
    if (type != "Custom") {
        return fail(
            Errc::bad_request,
            "\"" + type + "\" is no type of a schedule: Hourly, Daily, Weekly, Custom, Manual and None are"
        );
    }
    if (cron.empty()) return fail(Errc::bad_request, "a schedule of type Custom needs a cron");
    return cron;
}

// The job of a schedule whose cron can't be read any more never comes, rather than at each look.
Micros next_of(const Schedule& schedule, Micros now)
{
    const auto cron = Cron::parse(schedule.cron);
    if (cron) return cron->next(now);
    log::failure(log::Level::warning, "schedule " + std::to_string(schedule.id), cron.error());
    return 0;
}

}  // namespace

Result<> Schedules::check(const std::string& type, const std::string& cron)
{
    TRY(const auto text, cron_of(type, cron));
    if (text) CHECK(Cron::parse(*text));
    return {};
}

Task<Schedule> Schedules::set(Schedule wanted)
{
    CO_TRY(auto text, cron_of(wanted.type, wanted.cron));
    wanted.actor.at = clock_.now();
    wanted.next_at = 0;
    if (text) {
        CO_TRY(const auto cron, Cron::parse(*text));
        wanted.next_at = cron.next(wanted.actor.at);
    }
    wanted.cron = std::move(text).value_or("");
    co_return co_await catalog_.put(std::move(wanted));
}

Task<> Schedules::put(Schedule schedule)
{
    CO_CHECK(co_await set(std::move(schedule)));
    co_return Result<>{};
}

Task<Schedule> Schedules::find(std::string kind, std::int64_t subject_id)
{
    return catalog_.find(std::move(kind), subject_id);
}

Task<ListPage<Schedule>> Schedules::list(ListQuery query)
{
    return catalog_.list(std::move(query));
}

Task<> Schedules::remove(std::string kind, std::int64_t subject_id)
{
    auto removed = co_await catalog_.remove(std::move(kind), subject_id);
    if (!removed && removed.error().code() == Errc::not_found) co_return Result<>{};
    co_return removed;
}

Task<> Schedules::fire_due()
{
    const auto now = clock_.now();
    CO_TRY(const auto due, co_await catalog_.due(now, fired_at_once));
    if (due.empty()) co_return Result<>{};
    CO_TRY(const bool paused, co_await jobs_.is_paused(paused_kind));
    if (paused) co_return Result<>{};
    for (const auto& schedule : due) {
        const bool skips = !schedule.runs_missed && now - schedule.next_at > late;
        CO_CHECK(co_await catalog_.fire(
            {.id = schedule.id,
             .was_due = schedule.next_at,
             .next_at = next_of(schedule, now),
             .skips = skips,
             .at = now}
        ));
    }
    co_return Result<>{};
}

}  // namespace entrepot
