#include "upkeep/accounting/accounting.hpp"

#include "core/log.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr Micros day_length = 86'400'000'000;
constexpr std::chrono::seconds at_a_time{1};

struct Recounted {
    std::int64_t after = 0;  // the last project that is done
    std::int64_t projects = 0;
    std::int64_t drifted = 0;
    std::int64_t bytes = 0;
    std::int64_t artifacts = 0;

    static Recounted parse(std::string_view text)
    {
        boost::system::error_code error;
        const auto value = json::parse(text, error);
        if (error || !value.is_object()) return {};
        const auto number = [&](std::string_view name) {
            const auto* found = value.as_object().if_contains(name);
            return found && found->is_int64() ? found->as_int64() : 0;
        };
        return {number("after"), number("projects"), number("drifted"), number("bytes"), number("artifacts")};
    }

    std::string json() const
    {
        return json::serialize(json::object{
            {"after", after},
            {"projects", projects},
            {"drifted", drifted},
            {"bytes", bytes},
            {"artifacts", artifacts},
        });
    }
};

bool is_drift(const QuotaDrift& drift)
{
    return drift.bytes != 0 || drift.artifacts != 0;
}

std::string said(const QuotaDrift& drift)
{
    return drift.project + " was charged for " + std::to_string(drift.bytes) + " bytes and " +
           std::to_string(drift.artifacts) + " artifacts too many";
}

}  // namespace

std::int64_t Accounting::today() const
{
    return clock_.now() / day_length;
}

Task<Accounting::Step> Accounting::step(std::int64_t after, std::int64_t day, UsageLedger::Which which)
{
    CO_TRY(const auto id, co_await usage_.measure(after, day, which));
    if (id == 0) co_return Step{};
    // The same project: the next one after all that come before it.
    CO_TRY(auto drift, co_await quotas_.recount(id - 1));
    if (drift.project_id != id) co_return Step{id, {}};  // it has just gone
    recounted_.fetch_add(1, std::memory_order_relaxed);
    if (is_drift(drift)) {
        drifted_bytes_.fetch_add(static_cast<std::uint64_t>(std::abs(drift.bytes)), std::memory_order_relaxed);
        drifted_artifacts_.fetch_add(static_cast<std::uint64_t>(std::abs(drift.artifacts)), std::memory_order_relaxed);
        log::warning("a quota has drifted and was mended", {{"drift", said(drift)}});
    }
    co_return Step{id, std::move(drift)};
}

Task<> Accounting::go_on()
{
    if (today() != day_) {
        day_ = today();
        after_ = 0;
        done_ = false;
        CO_CHECK(co_await usage_.forget_before(day_ - keep_ / day_length));
    }
    const auto end = clock_.steady() + at_a_time;
    while (!done_ && clock_.steady() < end) {
        CO_TRY(const auto done, co_await step(after_, day_, UsageLedger::Which::not_yet));
        after_ = done.project_id;
        done_ = done.project_id == 0;
    }
    co_return Result<>{};
}

Task<JobEnd> Accounting::run(JobRun& run)
{
    auto count = Recounted::parse(run.checkpoint());
    const auto day = today();
    while (true) {
        if (run.stop_requested()) co_return JobEnd{.kind = JobEnd::Kind::stopped, .result = count.json()};
        CO_TRY(const auto done, co_await step(count.after, day, UsageLedger::Which::all));
        if (done.project_id == 0) break;
        count.after = done.project_id;
        ++count.projects;
        if (is_drift(done.drift)) {
            ++count.drifted;
            count.bytes += std::abs(done.drift.bytes);
            count.artifacts += std::abs(done.drift.artifacts);
            run.log(said(done.drift));
        }
        if (count.projects % 100 == 0) CO_CHECK(co_await run.save(count.json(), count.json()));
    }
    run.log(std::to_string(count.projects) + " projects recounted, " + std::to_string(count.drifted) + " had drifted");
    co_return JobEnd{.kind = JobEnd::Kind::done, .result = count.json()};
}

void Accounting::add_metrics(MetricsText& text) const
{
    text.counter("entrepot_quota_recounts_total", "Projects whose use was counted anew.", recounted_.load());
    text.counter("entrepot_quota_drift_bytes_total", "Bytes by which that was wrong: 0.", drifted_bytes_.load());
    text.counter(
        "entrepot_quota_drift_artifacts_total", "Artifacts by which that was wrong: 0.", drifted_artifacts_.load()
    );
}

}  // namespace entrepot
