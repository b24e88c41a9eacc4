#pragma once

#include "drivers/sql/sql_access.hpp"
#include "drivers/sql/sql_access_tokens.hpp"
#include "drivers/sql/sql_accounts.hpp"
#include "drivers/sql/sql_artifacts.hpp"
#include "drivers/sql/sql_audit_anchors.hpp"
#include "drivers/sql/sql_blobs.hpp"
#include "drivers/sql/sql_checks.hpp"
#include "drivers/sql/sql_chunks.hpp"
#include "drivers/sql/sql_endpoints.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "drivers/sql/sql_events.hpp"
#include "drivers/sql/sql_garbage.hpp"
#include "drivers/sql/sql_grants.hpp"
#include "drivers/sql/sql_groups.hpp"
#include "drivers/sql/sql_idempotency.hpp"
#include "drivers/sql/sql_immutable_rules.hpp"
#include "drivers/sql/sql_job_catalog.hpp"
#include "drivers/sql/sql_job_queue.hpp"
#include "drivers/sql/sql_job_store.hpp"
#include "drivers/sql/sql_labels.hpp"
#include "drivers/sql/sql_manifests.hpp"
#include "drivers/sql/sql_nodes.hpp"
#include "drivers/sql/sql_overview.hpp"
#include "drivers/sql/sql_people.hpp"
#include "drivers/sql/sql_preheats.hpp"
#include "drivers/sql/sql_projects.hpp"
#include "drivers/sql/sql_promotions.hpp"
#include "drivers/sql/sql_proxy.hpp"
#include "drivers/sql/sql_push_policies.hpp"
#include "drivers/sql/sql_quotas.hpp"
#include "drivers/sql/sql_renames.hpp"
#include "drivers/sql/sql_replications.hpp"
#include "drivers/sql/sql_repositories.hpp"
#include "drivers/sql/sql_retention.hpp"
#include "drivers/sql/sql_robots.hpp"
#include "drivers/sql/sql_roles.hpp"
#include "drivers/sql/sql_schedules.hpp"
#include "drivers/sql/sql_scrub.hpp"
#include "drivers/sql/sql_sessions.hpp"
#include "drivers/sql/sql_settings.hpp"
#include "drivers/sql/sql_synchronous.hpp"
#include "drivers/sql/sql_tag_history.hpp"
#include "drivers/sql/sql_tag_inventory.hpp"
#include "drivers/sql/sql_teams.hpp"
#include "drivers/sql/sql_tenants.hpp"
#include "drivers/sql/sql_trash.hpp"
#include "drivers/sql/sql_uploads.hpp"
#include "drivers/sql/sql_usage.hpp"
#include "drivers/sql/sql_webhooks.hpp"
#include "ports/metadata_store.hpp"

#include <memory>

namespace entrepot {

// Every catalog on one engine. `cache` is null where other processes write to the database too.
class SqlStore : public MetadataStore {
public:
    SqlStore(std::unique_ptr<SqlEngine> engine, std::unique_ptr<ExactCache> cache);
    ~SqlStore() override;

    ManifestCatalog& manifests() override { return manifests_; }
    ArtifactCatalog& artifacts() override { return artifacts_; }
    RepositoryCatalog& repositories() override { return repositories_; }
    RenameCatalog& renames() override { return renames_; }
    PromotionCatalog& promotions() override { return promotions_; }
    CheckCatalog& checks() override { return checks_; }
    ProxyCatalog& proxies() override { return proxies_; }
    BlobCatalog& blobs() override { return blobs_; }
    ChunkCatalog& chunks() override { return chunks_; }
    UploadCatalog& uploads() override { return uploads_; }
    QuotaLedger& quotas() override { return quotas_; }
    UsageLedger& usage() override { return usage_; }
    ProjectCatalog& projects() override { return projects_; }
    OverviewCatalog& overview() override { return overview_; }
    SettingsCatalog& settings() override { return settings_; }
    LabelCatalog& labels() override { return labels_; }
    ImmutableRuleCatalog& immutable_rules() override { return immutable_rules_; }
    TagHistoryCatalog& tag_history() override { return tag_history_; }
    TrashCatalog& trash() override { return trash_; }
    PushPolicyCatalog& push_policies() override { return push_policies_; }
    RetentionCatalog& retention() override { return retention_; }
    TagInventory& tag_inventory() override { return tag_inventory_; }
    IdempotencyCatalog& idempotency() override { return idempotency_; }
    AccessCatalog& access() override { return access_; }
    AccountCatalog& accounts() override { return accounts_; }
    PeopleCatalog& people() override { return people_; }
    AccessTokenCatalog& access_tokens() override { return access_tokens_; }
    SessionCatalog& sessions() override { return sessions_; }
    KeyCatalog& keys() override { return keys_; }
    RefreshTokenCatalog& refresh_tokens() override { return refresh_tokens_; }
    TenantCatalog& tenants() override { return tenants_; }
    TeamCatalog& teams() override { return teams_; }
    GrantCatalog& grants() override { return grants_; }
    RobotCatalog& robots() override { return robots_; }
    RoleCatalog& roles() override { return roles_; }
    GroupCatalog& groups() override { return groups_; }
    GarbageCatalog& garbage() override { return garbage_; }
    ScrubCatalog& scrub() override { return scrub_; }
    PullCounters& pulls() override { return pulls_; }
    AuditAnchors& audit_anchors() override { return audit_anchors_; }
    EventLog& events() override { return events_; }
    WebhookCatalog& webhooks() override { return webhooks_; }
    EndpointCatalog& endpoints() override { return endpoints_; }
    ReplicationCatalog& replications() override { return replications_; }
    SynchronousCatalog& synchronous() override { return synchronous_; }
    NodeCatalog& nodes() override { return nodes_; }
    PreheatCatalog& preheats() override { return preheats_; }
    JobQueue& job_queue() override { return job_queue_; }
    JobStore& job_store() override { return job_store_; }
    JobCatalog& jobs() override { return jobs_; }
    ScheduleCatalog& schedules() override { return schedules_; }
    CatalogHealth& health() override { return health_; }
    void stop() override { engine_->stop(); }

private:
    // The engine's threads use the cache, so the cache goes last.
    std::unique_ptr<ExactCache> cache_;
    std::unique_ptr<SqlEngine> engine_;
    LimitedProjects limited_;
    SqlManifests manifests_;
    SqlArtifacts artifacts_;
    SqlRepositories repositories_;
    SqlRenames renames_;
    SqlPromotions promotions_;
    SqlChecks checks_;
    SqlProxies proxies_;
    SqlBlobs blobs_;
    SqlChunks chunks_;
    SqlUploads uploads_;
    SqlQuotas quotas_;
    SqlUsage usage_;
    SqlProjects projects_;
    SqlOverview overview_;
    SqlSettings settings_;
    SqlLabels labels_;
    SqlImmutableRules immutable_rules_;
    SqlTagHistory tag_history_;
    SqlTrash trash_;
    SqlPushPolicies push_policies_;
    SqlRetention retention_;
    SqlTagInventory tag_inventory_;
    SqlIdempotency idempotency_;
    SqlAccess access_;
    SqlAccounts accounts_;
    SqlPeople people_;
    SqlAccessTokens access_tokens_;
    SqlSessions sessions_;
    SqlKeys keys_;
    SqlRefreshTokens refresh_tokens_;
    SqlTenants tenants_;
    SqlTeams teams_;
    SqlGrants grants_;
    SqlRobots robots_;
    SqlRoles roles_;
    SqlGroups groups_;
    SqlGarbage garbage_;
    SqlScrub scrub_;
    SqlPullCounters pulls_;
    SqlAuditAnchors audit_anchors_;
    JobBell job_bell_;
    SqlEvents events_;
    SqlWebhooks webhooks_;
    SqlEndpoints endpoints_;
    SqlReplications replications_;
    SqlSynchronous synchronous_;
    SqlNodes nodes_;
    SqlPreheats preheats_;
    SqlJobQueue job_queue_;
    SqlJobStore job_store_;
    SqlJobCatalog jobs_;
    SqlSchedules schedules_;
    SqlHealth health_;
};

}  // namespace entrepot
