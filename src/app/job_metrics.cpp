#include "app/job_metrics.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

constexpr int between_counts = 50;  // times as long as one takes

}  // namespace

Task<> JobMetrics::count_queues()
{
    const auto start = clock_.steady();
    if (start < next_count_) co_return Result<>{};
    CO_TRY(auto queues, co_await jobs_.queues());
    const auto end = clock_.steady();
    next_count_ = end + between_counts * (end - start);
    const std::lock_guard lock{mutex_};
    queues_ = std::move(queues);
    co_return Result<>{};
}

void JobMetrics::add_to(MetricsText& text) const
{
    const std::lock_guard lock{mutex_};
    for (const auto& queue : queues_) {
        const MetricsText::Labels kind{{"kind", queue.kind}};
        const auto age = queue.oldest_waiting == 0 ? 0 : std::max<Micros>(clock_.now() - queue.oldest_waiting, 0);
        text.gauge("entrepot_jobs_waiting", "Jobs that wait for a worker, on all instances.", queue.waiting, kind);
        text.gauge("entrepot_jobs_delayed", "Jobs whose time has not come, on all instances.", queue.delayed, kind);
        text.gauge("entrepot_jobs_leased", "Jobs that some instance runs.", queue.running, kind);
        text.gauge("entrepot_jobs_dead", "Jobs that failed for good and are still known.", queue.failed, kind);
        text.gauge("entrepot_jobs_paused", "1 while jobs of this kind are paused.", queue.paused ? 1 : 0, kind);
        text.gauge(
            "entrepot_jobs_oldest_waiting_seconds",
            "How long the oldest waiting job has been there.",
            static_cast<double>(age) / 1e6,
            kind
        );
    }
    for (const auto& queue : queues_) {
        if (queue.last_success == 0) continue;
        text.gauge(
            "entrepot_jobs_last_success_timestamp_seconds",
            "When a job of this kind last succeeded, seconds since 1970.",
            queue.last_success / 1'000'000,
            {{"kind", queue.kind}}
        );
    }
    for (const auto& counts : runner_.counts()) {
        const MetricsText::Labels kind{{"kind", counts.kind}};
        text.gauge("entrepot_jobs_running", "Jobs that this instance runs.", counts.running, kind);
        const std::pair<std::string_view, std::uint64_t> ends[] = {
            {"succeeded", counts.succeeded},
            {"failed", counts.failed},
            {"retried", counts.retried},
            {"stopped", counts.stopped},
            {"put_off", counts.put_off},
            {"lost", counts.lost},
        };
        for (const auto& [how, count] : ends) {
            text.counter(
                "entrepot_job_runs_total",
                "Runs of jobs on this instance by how they ended.",
                count,
                {{"kind", counts.kind}, {"end", how}}
            );
        }
    }
}

}  // namespace entrepot
