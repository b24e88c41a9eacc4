#pragma once

#include "access/policy.hpp"
#include "api/management/management_api.hpp"
#include "api/management/session_endpoint.hpp"
#include "api/oci/oci_handler.hpp"
#include "api/operations/operations.hpp"
#include "api/surface_router.hpp"
#include "api/swarm/swarm_endpoint.hpp"
#include "api/token/authenticator.hpp"
#include "api/token/key_ring.hpp"
#include "api/token/master_key.hpp"
#include "api/token/sessions.hpp"
#include "api/token/token_endpoint.hpp"
#include "app/accounting_parts.hpp"
#include "app/app.hpp"
#include "app/audit_parts.hpp"
#include "app/background.hpp"
#include "app/backup_metrics.hpp"
#include "app/data_directory.hpp"
#include "app/event_parts.hpp"
#include "app/exchange_parts.hpp"
#include "app/health_metrics.hpp"
#include "app/index_parts.hpp"
#include "app/job_metrics.hpp"
#include "app/proxy_parts.hpp"
#include "app/replication_parts.hpp"
#include "app/scrub_parts.hpp"
#include "app/swarm_parts.hpp"
#include "app/synchronous_parts.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "drivers/filesystem/filesystem_blobs.hpp"
#include "http/server.hpp"
#include "ports/external_authoriser.hpp"
#include "ports/metadata_store.hpp"
#include "registry/additions.hpp"
#include "registry/artifacts.hpp"
#include "registry/browse.hpp"
#include "registry/checks.hpp"
#include "registry/icons.hpp"
#include "registry/immutable_rules.hpp"
#include "registry/mount_blob.hpp"
#include "registry/pipelines.hpp"
#include "registry/project_gate.hpp"
#include "registry/promotion_dispatch.hpp"
#include "registry/promotions.hpp"
#include "registry/pull.hpp"
#include "registry/pull_ledger.hpp"
#include "registry/push_manifest.hpp"
#include "registry/push_policies.hpp"
#include "registry/renames.hpp"
#include "registry/repositories.hpp"
#include "registry/tag_history.hpp"
#include "registry/trash.hpp"
#include "registry/uploads.hpp"
#include "tenancy/access_directory.hpp"
#include "tenancy/access_tokens.hpp"
#include "tenancy/labels.hpp"
#include "tenancy/overview.hpp"
#include "tenancy/projects.hpp"
#include "tenancy/robots.hpp"
#include "tenancy/settings.hpp"
#include "tenancy/tenancy_verbs.hpp"
#include "tenancy/users.hpp"
#include "upkeep/gc/garbage_collection.hpp"
#include "upkeep/jobs/job_runner.hpp"
#include "upkeep/jobs/jobs.hpp"
#include "upkeep/jobs/schedules.hpp"
#include "upkeep/retention/retention_run.hpp"
#include "upkeep/retention/retentions.hpp"
#include "upkeep/retention/tag_lifetimes.hpp"

#include <list>
#include <memory>

namespace entrepot {

// The system, top to bottom: each part is handed the ones above it that it needs.
struct App::Parts {
    explicit Parts(Config with);
    ~Parts();
    Parts(const Parts&) = delete;
    Parts& operator=(const Parts&) = delete;

    Config config;
    SystemClock clock;
    SystemRandom random;
    DataDirectory directory;
    // The store hurries chores of `background`, which is made last.
    std::atomic<Background*> feed_listener{nullptr};

    std::unique_ptr<MetadataStore> store;  // tags, links, sessions, accounts: SQLite or PostgreSQL
    FilesystemBlobs blobs;                 // bytes
    asio::thread_pool parsing{1};          // for what would hold up a loop
    asio::thread_pool unpacking{1};        // for documents within artifacts
    asio::thread_pool reading{2};          // blobs that are copied to other registries

    AccessPolicy policy;  // who may do what, from memory
    AccessDirectory access_directory;
    Settings settings;
    AuditParts audit;  // what happened
    TokenSettings token_settings;
    MasterKey master_key;
    KeyRing keys;
    EventParts events;           // as they can be followed, and webhooks
    AccountingParts accounting;  // quotas, and what is used
    JobRunner job_runner;        // what is done in the background
    Authenticator authenticator;
    Sessions sessions;

    ProjectGate project_gate;  // verbs
    Projects projects;
    Overview overview;
    Users users;
    AccessTokens access_tokens;
    Labels labels;
    TenancyVerbs tenancy;
    Robots robots;
    PullLedger ledger;
    GarbageCollection garbage;
    ScrubParts scrub;
    IndexParts index;
    Pull pull;
    PushManifest push_manifest;
    MountBlob mount_blob;
    Uploads uploads;
    Browse browse;
    Repositories repositories;
    Renames renames;
    Promotions promotions;
    PromotionDispatch promotion_dispatch;
    Checks checks;
    Pipelines pipelines;
    Artifacts artifacts;
    ImmutableRuleBook immutable_rules;
    TagHistory tag_history;
    Trash trash;
    PushPolicyBook push_policies;
    TagLifetimes tag_lifetimes;
    RetentionRun retention_run;
    Additions additions;
    Icons icons;
    Jobs jobs;
    Schedules schedules;
    Retentions retentions;
    ReplicationParts replication;
    ExchangeParts exchange;
    SynchronousParts synchronous;
    SwarmParts swarm;
    JobMetrics job_metrics;
    BackupMetrics backup_metrics;
    ProxyParts proxy;

    std::unique_ptr<ExternalAuthoriser> authoriser;  // null: nobody is asked
    Gate gate;                                       // HTTP ⇄ verbs
    LoginAudit login_audit;
    OciAudit oci_audit;
    ApiAudit api_audit;
    OciReads reads;
    OciWrites writes;
    UploadEndpoints upload_endpoints;
    OciLists lists;
    OciHandler oci;
    TokenEndpoint token;
    std::unique_ptr<SwarmEndpoint> swarm_endpoint;  // null where it is switched off
    OperationsHandler operations;
    HealthMetrics health_metrics;
    Idempotency idempotency;
    ManagementApi management;
    SessionEndpoint session_endpoint;
    std::list<SurfaceRouter> routers;  // one a listener

    std::unique_ptr<HttpServer> server;
    std::unique_ptr<Background> background;

    ManagementNeeds management_needs();
    std::vector<ListenerOptions> listeners();
    std::unique_ptr<SwarmEndpoint> new_swarm_endpoint();
    std::vector<Background::Chore> chores();
    Task<> promote();
    void hire_job_handlers();
    LocalSite::Parts local_site();  // this registry as a place to copy from and to
    void add_metrics(MetricsText& text) const;
};

}  // namespace entrepot
