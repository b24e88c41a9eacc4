#include "exchange/replication/replication_copy.hpp"

#include "exchange/replication/copy_round.hpp"

namespace entrepot {

Task<JobEnd> ReplicationCopy::run(JobRun& run)
{
    const auto task = ReplicationTask::parse(run.parameters());
    if (!task) co_return JobEnd{.kind = JobEnd::Kind::failed, .result = task.error().message()};
    auto found = co_await parts_.catalog.find(task->policy_id);
    if (!found && found.error().code() == Errc::not_found) {
        co_return JobEnd{.kind = JobEnd::Kind::failed, .result = "the policy was deleted"};
    }
    CO_TRY(const auto policy, std::move(found));
    auto opened = co_await parts_.sites.open(policy);
    if (!opened && (opened.error().code() == Errc::not_found || opened.error().code() == Errc::unprocessable)) {
        co_return JobEnd{.kind = JobEnd::Kind::failed, .result = opened.error().message()};
    }
    CO_TRY(const auto ends, std::move(opened));
    CopyRound round{parts_, counters_, run, policy, *task, ends};
    co_return co_await round.all();
}

void ReplicationCopy::add_metrics(MetricsText& text) const
{
    const auto artifacts = [&](const char* outcome, const std::atomic<std::uint64_t>& count) {
        text.counter(
            "entrepot_replication_artifacts_total",
            "Artifacts that tasks have dealt with.",
            count.load(),
            {{"outcome", outcome}}
        );
    };
    artifacts("copied", counters_.copied);
    artifacts("skipped", counters_.skipped);
    artifacts("failed", counters_.failed);
    text.counter("entrepot_replication_bytes_total", "Bytes of blobs sent to targets.", counters_.bytes.load());
    text.counter(
        "entrepot_replication_bytes_again_total", "Of these, sent for the second time.", counters_.bytes_again.load()
    );
    text.counter("entrepot_replication_breaks_total", "Times that a blob's way was broken.", counters_.breaks.load());
}

}  // namespace entrepot
