#pragma once

#include "ports/access_catalog.hpp"
#include "ports/access_token_catalog.hpp"
#include "ports/account_catalog.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/audit_store.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/check_catalog.hpp"
#include "ports/chunk_catalog.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/event_log.hpp"
#include "ports/garbage_catalog.hpp"
#include "ports/grant_catalog.hpp"
#include "ports/group_catalog.hpp"
#include "ports/idempotency_catalog.hpp"
#include "ports/immutable_rule_catalog.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_queue.hpp"
#include "ports/job_store.hpp"
#include "ports/label_catalog.hpp"
#include "ports/manifest_catalog.hpp"
#include "ports/node_catalog.hpp"
#include "ports/overview_catalog.hpp"
#include "ports/people_catalog.hpp"
#include "ports/preheat_catalog.hpp"
#include "ports/project_catalog.hpp"
#include "ports/promotion_catalog.hpp"
#include "ports/proxy_catalog.hpp"
#include "ports/push_policy_catalog.hpp"
#include "ports/quota_ledger.hpp"
#include "ports/rename_catalog.hpp"
#include "ports/replication_catalog.hpp"
#include "ports/repository_catalog.hpp"
#include "ports/retention_catalog.hpp"
#include "ports/robot_catalog.hpp"
#include "ports/schedule_catalog.hpp"
#include "ports/scrub_catalog.hpp"
#include "ports/session_catalog.hpp"
#include "ports/settings_catalog.hpp"
#include "ports/synchronous_catalog.hpp"
#include "ports/tag_history_catalog.hpp"
#include "ports/tag_inventory.hpp"
#include "ports/tenant_catalog.hpp"
#include "ports/trash_catalog.hpp"
#include "ports/upload_catalog.hpp"
#include "ports/usage_ledger.hpp"
#include "ports/webhook_catalog.hpp"

namespace entrepot {

// Every catalog of one metadata database, for the composition root and the contract suite: verbs ask for the one
// port they need. The references live as long as the store. stop() ends its threads; nothing may be asked afterwards.
class MetadataStore {
public:
    virtual ~MetadataStore() = default;
    virtual ManifestCatalog& manifests() = 0;
    virtual ArtifactCatalog& artifacts() = 0;
    virtual RepositoryCatalog& repositories() = 0;
    virtual RenameCatalog& renames() = 0;
    virtual PromotionCatalog& promotions() = 0;
    virtual CheckCatalog& checks() = 0;
    virtual ProxyCatalog& proxies() = 0;
    virtual BlobCatalog& blobs() = 0;
    virtual ChunkCatalog& chunks() = 0;
    virtual UploadCatalog& uploads() = 0;
    virtual QuotaLedger& quotas() = 0;
    virtual UsageLedger& usage() = 0;
    virtual ProjectCatalog& projects() = 0;
    virtual OverviewCatalog& overview() = 0;
    virtual SettingsCatalog& settings() = 0;
    virtual LabelCatalog& labels() = 0;
    virtual ImmutableRuleCatalog& immutable_rules() = 0;
    virtual TagHistoryCatalog& tag_history() = 0;
    virtual TrashCatalog& trash() = 0;
    virtual PushPolicyCatalog& push_policies() = 0;
    virtual RetentionCatalog& retention() = 0;
    virtual TagInventory& tag_inventory() = 0;
    virtual IdempotencyCatalog& idempotency() = 0;
    virtual AccessCatalog& access() = 0;
    virtual AccountCatalog& accounts() = 0;
    virtual PeopleCatalog& people() = 0;
    virtual AccessTokenCatalog& access_tokens() = 0;
    virtual SessionCatalog& sessions() = 0;
    virtual KeyCatalog& keys() = 0;
    virtual RefreshTokenCatalog& refresh_tokens() = 0;
    virtual TenantCatalog& tenants() = 0;
    virtual TeamCatalog& teams() = 0;
    virtual GrantCatalog& grants() = 0;
    virtual RobotCatalog& robots() = 0;
    virtual RoleCatalog& roles() = 0;
    virtual GroupCatalog& groups() = 0;
    virtual GarbageCatalog& garbage() = 0;
    virtual ScrubCatalog& scrub() = 0;
    virtual PullCounters& pulls() = 0;
    virtual AuditAnchors& audit_anchors() = 0;
    virtual EventLog& events() = 0;
    virtual WebhookCatalog& webhooks() = 0;
    virtual EndpointCatalog& endpoints() = 0;
    virtual ReplicationCatalog& replications() = 0;
    virtual SynchronousCatalog& synchronous() = 0;
    virtual NodeCatalog& nodes() = 0;
    virtual PreheatCatalog& preheats() = 0;
    virtual JobQueue& job_queue() = 0;
    virtual JobStore& job_store() = 0;
    virtual JobCatalog& jobs() = 0;
    virtual ScheduleCatalog& schedules() = 0;
    virtual CatalogHealth& health() = 0;
    virtual void stop() = 0;
};

}  // namespace entrepot
