#include "app/replication_parts.hpp"

#include "app/outbound_parts.hpp"
#include "exchange/replication_job.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

// Listings of others are walked through in no hurry.
constexpr std::int64_t plans_at_once = 2;

LocalSiteUser user_of(const ReplicationPolicy& policy)
{
    return {.user_id = policy.creator_id, .tenant_id = policy.tenant_id, .endpoint_id = policy.source_id};
}

}  // namespace

ReplicationParts::ReplicationParts(const Needs& needs)
    : needs_{needs},
      secrets_{needs.master_key, needs.random},
      upstreams_{needs.store.endpoints(), secrets_, outbound_rules_of(needs.config), needs.clock},
      sites_{
          upstreams_,
          [this](const ReplicationPolicy& policy) -> std::shared_ptr<CopySite> {
              return std::make_shared<LocalSite>(needs_.local, user_of(policy));
          },
          needs.clock,
          needs.random
      },
      plan_{
          {.catalog = needs.store.replications(),
           .sites = sites_,
           .queue = needs.store.job_queue(),
           .jobs = needs.store.jobs(),
           .artifacts = needs.store.artifacts(),
           .clock = needs.clock}
      },
      copy_{{.catalog = needs.store.replications(), .sites = sites_, .clock = needs.clock}},
      dispatch_{{.log = needs.store.events(), .catalog = needs.store.replications(), .clock = needs.clock}}
{
}

void ReplicationParts::hire(JobRunner& runner)
{
    runner.handle(ReplicationOrder::kind, plan_, plans_at_once);
    runner.handle(ReplicationTask::kind, copy_);
}

std::vector<Background::Chore> ReplicationParts::chores()
{
    return {{.name = std::string{following}, .every = 1s, .run = [this] { return dispatch_.run(); }}};
}

void ReplicationParts::add_metrics(MetricsText& text) const
{
    copy_.add_metrics(text);
    text.counter(
        "entrepot_replication_dispatched_total", "Executions that events have set off.", dispatch_.dispatched()
    );
}

}  // namespace entrepot
