#include "upkeep/jobs/jobs.hpp"

#include <utility>

namespace entrepot {

namespace {

constexpr Micros is_gone_after = 60'000'000;
constexpr std::int64_t most_shown = 10'000;

}  // namespace

Task<Job> Jobs::find(std::int64_t id)
{
    return catalog_.find(id);
}

Task<ListPage<Job>> Jobs::list(ListQuery query)
{
    return catalog_.list(std::move(query));
}

Task<std::string> Jobs::log_text(std::int64_t id)
{
    CO_TRY(const auto lines, co_await catalog_.log(id));
    std::string text;
    std::int64_t last = 0;
    for (const auto& line : lines) {
        if (line.number != last + 1) text += "… " + std::to_string(line.number - last - 1) + " lines are not kept\n";
        last = line.number;
        text += rfc3339(line.at) + " " + line.text + "\n";
    }
    co_return text;
}

Task<> Jobs::stop(std::int64_t id)
{
    const auto now = clock_.now();
    const auto stopped = co_await catalog_.stop(id, now);
    if (!stopped && stopped.error().code() != Errc::precondition_failed) co_return std::unexpected{stopped.error()};
    co_return co_await catalog_.stop_tasks(id, now);
}

Task<> Jobs::stop_running()
{
    CO_TRY(const auto queues, co_await catalog_.queues());
    for (const auto& queue : queues) {
        if (queue.running == 0) continue;
        CO_CHECK(co_await catalog_.stop_running(queue.kind));
    }
    co_return Result<>{};
}

Task<std::vector<JobWorker>> Jobs::workers()
{
    return catalog_.workers(clock_.now() - is_gone_after);
}

Task<std::vector<Job>> Jobs::running()
{
    ListQuery query;
    query.conditions.push_back({.field = "state", .values = {"running"}});
    query.limit = most_shown;
    CO_TRY(auto page, co_await catalog_.list(std::move(query)));
    co_return std::move(page.items);
}

Task<> Jobs::retry(std::int64_t id)
{
    return catalog_.retry(id);
}

Task<std::vector<JobQueueState>> Jobs::queues()
{
    return catalog_.queues();
}

Task<> Jobs::stop_queue(std::string kind)
{
    std::int64_t stopped = 1;
    while (stopped > 0) {
        CO_TRY(stopped, co_await catalog_.stop_waiting(kind, clock_.now()));
    }
    co_return co_await catalog_.stop_running(kind);
}

Task<> Jobs::pause(std::string kind, bool paused)
{
    return catalog_.pause(std::move(kind), paused, clock_.now());
}

Task<bool> Jobs::is_paused(std::string kind)
{
    return catalog_.is_paused(std::move(kind));
}

Task<> Jobs::remove_old()
{
    CO_TRY(const auto kinds, co_await catalog_.kinds());
    for (const auto& kind : kinds) {
        std::int64_t removed = 1;
        while (removed > 0) {
            CO_TRY(removed, co_await catalog_.remove_ended(kind, clock_.now() - limits_.keep, limits_.most));
        }
    }
    co_return Result<>{};
}

}  // namespace entrepot
