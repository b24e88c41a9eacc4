#include "app/parts.hpp"
#include "upkeep/retention/retention_order.hpp"

namespace entrepot {

// The kinds of jobs, and how many of each run at once here.
void App::Parts::hire_job_handlers()
{
    job_runner.handle(Webhooks::job_kind, events.delivery(), 48);
    job_runner.handle("gc", garbage, 1);
    job_runner.handle(Accounting::kind, accounting.accounting, 1);
    job_runner.handle(Scrub::kind, scrub.scrub(), 1);
    job_runner.handle(IndexSnapshot::kind, index.snapshot(), 1);
    job_runner.handle("purge_audit", audit.purge(), 1);
    job_runner.handle(RetentionOrder::kind, retention_run, 2);
    replication.hire(job_runner);
}

// What events ask for, and then what has come of it.
Task<> App::Parts::promote()
{
    if (settings.read_only()) co_return Result<>{};
    CO_CHECK(co_await promotion_dispatch.run());
    co_return co_await promotions.look_at_due();
}

LocalSite::Parts App::Parts::local_site()
{
    return {
        .pull = pull,
        .uploads = uploads,
        .push_manifest = push_manifest,
        .manifests = store->manifests(),
        .links = store->blobs(),
        .projects = store->projects(),
        .policy = policy,
        .catch_up = [this] { return access_directory.catch_up(); },
        .read_only = [this] { return settings.read_only(); },
        .reading = reading,
        .clock = clock,
    };
}

}  // namespace entrepot
