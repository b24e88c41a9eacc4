#include "drivers/sql/sql_store.hpp"

namespace entrepot {

SqlStore::SqlStore(std::unique_ptr<SqlEngine> engine, std::unique_ptr<ExactCache> cache)
    : cache_{std::move(cache)},
      engine_{std::move(engine)},
      manifests_{*engine_, cache_.get(), limited_},
      artifacts_{*engine_, cache_.get()},
      repositories_{*engine_, cache_.get()},
      renames_{*engine_, cache_.get()},
      promotions_{*engine_, cache_.get()},
      checks_{*engine_},
      proxies_{*engine_},
      blobs_{*engine_, cache_.get(), limited_},
      chunks_{*engine_},
      uploads_{*engine_},
      quotas_{*engine_},
      usage_{*engine_},
      projects_{*engine_},
      overview_{*engine_},
      settings_{*engine_},
      labels_{*engine_},
      immutable_rules_{*engine_},
      tag_history_{*engine_, cache_.get()},
      trash_{*engine_, cache_.get()},
      push_policies_{*engine_},
      retention_{*engine_},
      tag_inventory_{*engine_, cache_.get()},
      idempotency_{*engine_},
      access_{*engine_},
      accounts_{*engine_},
      people_{*engine_},
      access_tokens_{*engine_},
      sessions_{*engine_},
      keys_{*engine_},
      refresh_tokens_{*engine_},
      tenants_{*engine_},
      teams_{*engine_},
      grants_{*engine_},
      robots_{*engine_},
      roles_{*engine_},
      groups_{*engine_},
      garbage_{*engine_, cache_.get()},
      scrub_{*engine_, cache_.get()},
      pulls_{*engine_},
      audit_anchors_{*engine_},
      events_{*engine_, job_bell_},
      webhooks_{*engine_},
      endpoints_{*engine_},
      replications_{*engine_},
      synchronous_{*engine_},
      nodes_{*engine_},
      preheats_{*engine_},
      job_queue_{*engine_, job_bell_},
      job_store_{*engine_, job_bell_},
      jobs_{*engine_, job_bell_},
      schedules_{*engine_, job_bell_},
      health_{*engine_}
{
}

SqlStore::~SqlStore()
{
    engine_->stop();
}

}  // namespace entrepot
