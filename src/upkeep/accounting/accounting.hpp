#pragma once

#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "ports/job_handler.hpp"
#include "ports/quota_ledger.hpp"
#include "ports/usage_ledger.hpp"

#include <atomic>

namespace entrepot {

// Goes through all projects once a day (UTC), a second of work in a minute: counts anew what quotas charge them for,
// mends it where it drifted, which must never be, and writes down what they use. Instances share the projects. The job
// does all of it at once.
class Accounting final : public JobHandler {
public:
    static constexpr const char* kind = "quota_recount";

    // `keep`: how long what was used is remembered.
    Accounting(QuotaLedger& quotas, UsageLedger& usage, const Clock& clock, Micros keep)
        : quotas_{quotas}, usage_{usage}, clock_{clock}, keep_{keep}
    {
    }

    Task<JobEnd> run(JobRun& run) override;
    // A chore.
    Task<> go_on();
    void add_metrics(MetricsText& text) const;

private:
    struct Step {
        std::int64_t project_id = 0;  // 0: there is no further one
        QuotaDrift drift;
    };
    Task<Step> step(std::int64_t after, std::int64_t day, UsageLedger::Which which);
    std::int64_t today() const;

    QuotaLedger& quotas_;
    UsageLedger& usage_;
    const Clock& clock_;
    const Micros keep_;
    // Of the chore.
    std::int64_t day_ = -1;
    std::int64_t after_ = 0;
    bool done_ = false;

    std::atomic<std::uint64_t> recounted_{0};
    std::atomic<std::uint64_t> drifted_bytes_{0};
    std::atomic<std::uint64_t> drifted_artifacts_{0};
};

}  // namespace entrepot
