#include "upkeep/retention/retention_run.hpp"

#include "upkeep/retention/evaluate.hpp"
#include "upkeep/retention/retention_order.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t places_at_once = 500;
constexpr std::int64_t tags_at_once = 5000;
constexpr std::int64_t saved_every = 20;  // repositories
constexpr std::size_t removed_at_once = 100;
constexpr std::int64_t runs_reported = 20;
constexpr std::size_t longest_report = std::size_t{4} << 20U;

// What rules say of one repository.
struct Judged {
    std::vector<std::size_t> about;
    std::vector<RetentionCandidate> candidates;
    std::vector<RetentionVerdict> verdicts;
};

// Lines of one repository's report, as many as are kept.
class ReportLines {
public:
    ReportLines(std::span<const RetentionRule> rules, const Judged& judged) : rules_{rules}, judged_{judged} {}

    void add(std::string_view word, std::size_t index)
    {
        if (written_ > longest_report) {
            ++left_out_;
            return;
        }
        const auto& verdict = judged_.verdicts[index];
        const auto& candidate = judged_.candidates[index];
        const auto start = text_.size();
        text_.append(word).append(" ").append(candidate.name).append(": ").append(reason(verdict)).append("\n");
        written_ += text_.size() - start;
    }
    std::string take() { return std::exchange(text_, {}); }
    std::string take_last()
    {
        if (left_out_ > 0) text_ += "and " + std::to_string(left_out_) + " more\n";
        return take();
    }

private:
    // There are few different ones.
    const std::string& reason(const RetentionVerdict& verdict)
    {
        const auto key = std::tuple{verdict.kind, verdict.rule, verdict.goes() ? verdict.asked : std::uint16_t{0}};
        auto [found, is_new] = reasons_.try_emplace(key);
        if (is_new) found->second = reason_of(verdict, rules_, judged_.about);
        return found->second;
    }

    std::span<const RetentionRule> rules_;
    const Judged& judged_;
    std::map<std::tuple<RetentionVerdict::Kind, std::uint8_t, std::uint16_t>, std::string> reasons_;
    std::string text_;
    std::size_t written_ = 0;
    std::int64_t left_out_ = 0;
};

// One run over a project.
class Pass {
public:
    Pass(
        RetentionCatalog& catalog,
        TagInventory& inventory,
        const Clock& clock,
        JobRun& job,
        const RetentionPolicy& policy,
        const RetentionOrder& order
    )
        : catalog_{catalog},
          inventory_{inventory},
          clock_{clock},
          job_{job},
          policy_{policy},
          order_{order},
          progress_{RetentionProgress::parse(job.checkpoint())}
    {
    }

    // False when something would go and nothing stay.
    Task<bool> leaves_anything()
    {
        bool anything_goes = false;
        for (std::string after;;) {
            CO_TRY(const auto places, co_await inventory_.repositories(policy_.project_id, after, places_at_once));
            if (places.empty()) co_return !anything_goes;
            for (const auto& place : places) {
                if (job_.stop_requested()) co_return true;
                CO_TRY(const auto judged, co_await judge(place));
                const bool all_go = std::ranges::all_of(judged.verdicts, &RetentionVerdict::goes);
                if (!all_go) co_return true;
                anything_goes = anything_goes || !judged.verdicts.empty();
            }
            after = places.back().name.text();
        }
    }

    Task<JobEnd> go()
    {
        while (true) {
            CO_TRY(
                const auto places, co_await inventory_.repositories(policy_.project_id, progress_.after, places_at_once)
            );
            if (places.empty()) break;
            for (const auto& place : places) {
                if (job_.stop_requested()) co_return co_await stopped();
                CO_TRY(const bool done, co_await treat(place));
                if (!done) co_return co_await stopped();
                progress_.after = place.name.text();
                if (progress_.repositories % saved_every == 0) CO_CHECK(co_await save());
            }
            CO_CHECK(co_await save());
        }
        co_return JobEnd{JobEnd::Kind::done, progress_.json()};
    }

private:
    Task<> save() { return job_.save(progress_.json(), progress_.json()); }

    Task<JobEnd> stopped()
    {
        CO_CHECK(co_await save());
        co_return JobEnd{JobEnd::Kind::stopped, progress_.json()};
    }

    Task<Judged> judge(TagInventory::Place place)
    {
        Judged judged;
        const auto& name = place.name;
        judged.about = rules_for(policy_.rules, std::string_view{name.text()}.substr(name.project().size() + 1));
        if (judged.about.empty()) co_return judged;
        const auto now = clock_.now();
        for (std::string after;;) {
            CO_TRY(auto tags, co_await inventory_.tags(place, after, tags_at_once, now));
            if (tags.empty()) break;
            after = tags.back().name;
            std::ranges::move(tags, std::back_inserter(judged.candidates));
        }
        for (std::int64_t after = 0;;) {
            CO_TRY(auto untagged, co_await inventory_.untagged(place, after, tags_at_once, now));
            if (untagged.empty()) break;
            after = untagged.back().manifest_id;
            std::ranges::move(untagged, std::back_inserter(judged.candidates));
        }
        judged.verdicts = evaluate(policy_.rules, judged.about, judged.candidates, now);
        co_return judged;
    }

    // False when it was asked to stop on the way.
    Task<bool> treat(TagInventory::Place place)
    {
        const auto started = clock_.now();
        CO_TRY(const auto judged, co_await judge(place));
        if (judged.candidates.empty()) co_return true;
        ReportLines lines{policy_.rules, judged};
        std::vector<std::size_t> doomed;
        for (std::size_t i = 0; i < judged.verdicts.size(); ++i) {
            if (judged.verdicts[i].goes()) doomed.push_back(i);
        }
        RetentionTask task{
            .policy_id = policy_.id,
            .execution_id = job_.id(),
            .repository = place.name.text(),
            .retained = std::ssize(judged.candidates) - std::ssize(doomed),
            .started_at = started,
        };
        if (order_.dry_run) {
            for (const auto index : doomed) lines.add("would remove", index);
            task.removed = std::ssize(doomed);
        } else {
            CO_TRY(const bool all, co_await remove(place, judged, doomed, lines, task));
            if (!all) co_return false;
        }
        for (std::size_t i = 0; i < judged.verdicts.size(); ++i) {
            if (!judged.verdicts[i].goes()) lines.add(order_.dry_run ? "would keep" : "kept", i);
        }
        task.report = lines.take_last();
        task.ended_at = clock_.now();
        note(judged, doomed.size(), place.name.text());
        CO_CHECK(co_await catalog_.report(std::move(task), order_.dry_run));
        co_return true;
    }

    void note(const Judged& judged, std::size_t doomed, const std::string& name)
    {
        const auto total = std::ssize(judged.candidates);
        const auto goes = static_cast<std::int64_t>(doomed);
        ++progress_.repositories;
        progress_.total += total;
        progress_.retained += total - goes;
        progress_.removed += order_.dry_run ? goes : 0;
        job_.log(
            name + ": " + std::to_string(total - goes) + " of " + std::to_string(total) +
            (order_.dry_run ? " would be kept" : " kept")
        );
    }

    Task<bool> remove(
        TagInventory::Place place,
        const Judged& judged,
        const std::vector<std::size_t>& doomed,
        ReportLines& lines,
        const RetentionTask& task
    )
    {
        for (std::size_t first = 0; first < doomed.size(); first += removed_at_once) {
            if (job_.stop_requested()) co_return false;
            std::vector<RetentionCandidate> batch;
            for (std::size_t i = first; i < std::min(first + removed_at_once, doomed.size()); ++i) {
                batch.push_back(judged.candidates[doomed[i]]);
                lines.add("removed", doomed[i]);
            }
            const auto size = std::ssize(batch);
            CO_TRY(const auto spared, co_await remove_batch(place.name, std::move(batch)));
            auto part = task;
            part.removed = size - spared;
            part.report = lines.take();
            part.ended_at = clock_.now();
            CO_CHECK(co_await catalog_.report(std::move(part), false));
        }
        co_return true;
    }

    // How many were spared after all.
    Task<std::int64_t> remove_batch(RepositoryName name, std::vector<RetentionCandidate> batch)
    {
        const Actor actor{.user_id = order_.user_id, .at = clock_.now(), .via = Via::retention};
        const auto removed = co_await inventory_.remove(name, batch, actor);
        if (removed) co_return count(std::ssize(batch), *removed);
        if (removed.error().code() != Errc::precondition_failed) co_return std::unexpected{removed.error()};
        if (batch.size() == 1) {
            job_.log(name.text() + ": " + batch.front().name + " stays: " + removed.error().message());
            ++progress_.spared;
            co_return 1;
        }
        // Something immutable hangs on one of them.
        std::int64_t spared = 0;
        for (auto& each : batch) {
            CO_TRY(const auto more, co_await remove_batch(name, {std::move(each)}));
            spared += more;
        }
        co_return spared;
    }

    std::int64_t count(std::int64_t size, const TagInventory::Removed& removed)
    {
        progress_.removed += size - removed.spared;
        progress_.artifacts += removed.artifacts;
        progress_.spared += removed.spared;
        return removed.spared;
    }

    RetentionCatalog& catalog_;
    TagInventory& inventory_;
    const Clock& clock_;
    JobRun& job_;
    const RetentionPolicy& policy_;
    const RetentionOrder& order_;
    RetentionProgress progress_;
};

}  // namespace

// A project takes its policy along when it is removed, but not the schedule.
Task<JobEnd> RetentionRun::end_without_policy(std::int64_t policy_id)
{
    const auto removed = co_await schedules_.remove(RetentionOrder::kind, policy_id);
    if (!removed && removed.error().code() != Errc::not_found) co_return std::unexpected{removed.error()};
    co_return JobEnd{JobEnd::Kind::failed, "the retention policy is gone"};
}

Task<JobEnd> RetentionRun::run(JobRun& job)
{
    CO_TRY(const auto order, RetentionOrder::parse(job.parameters()));
    const auto policy = co_await catalog_.find(order.policy_id);
    if (!policy && policy.error().code() == Errc::not_found) {
        co_return co_await end_without_policy(order.policy_id);
    }
    CO_CHECK(policy);
    Pass pass{catalog_, inventory_, clock_, job, *policy, order};
    if (job.checkpoint().empty()) {
        CO_CHECK(co_await catalog_.forget_tasks(policy->id, runs_reported));
    }
    if (!order.dry_run && !order.confirm_all && !policy->confirm_all && job.checkpoint().empty()) {
        CO_TRY(const bool leaves, co_await pass.leaves_anything());
        if (!leaves) {
            co_return JobEnd{
                JobEnd::Kind::failed,
                "nothing that the rules are about would be left: say \"confirm_all\" if that is meant"
            };
        }
    }
    co_return co_await pass.go();
}

}  // namespace entrepot
