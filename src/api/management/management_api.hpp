#pragma once

#include "api/documentation/documentation.hpp"
#include "api/management/access_tokens_api.hpp"
#include "api/management/additions_api.hpp"
#include "api/management/api_router.hpp"
#include "api/management/artifacts_api.hpp"
#include "api/management/audit_api.hpp"
#include "api/management/checks_api.hpp"
#include "api/management/configurations_api.hpp"
#include "api/management/events_api.hpp"
#include "api/management/grants_api.hpp"
#include "api/management/immutable_rules_api.hpp"
#include "api/management/jobs_api.hpp"
#include "api/management/labels_api.hpp"
#include "api/management/members_api.hpp"
#include "api/management/pipelines_api.hpp"
#include "api/management/preheat_api.hpp"
#include "api/management/projects_api.hpp"
#include "api/management/promotions_api.hpp"
#include "api/management/push_policies_api.hpp"
#include "api/management/quotas_api.hpp"
#include "api/management/registries_api.hpp"
#include "api/management/renames_api.hpp"
#include "api/management/replications_api.hpp"
#include "api/management/repositories_api.hpp"
#include "api/management/retentions_api.hpp"
#include "api/management/robots_api.hpp"
#include "api/management/roles_api.hpp"
#include "api/management/scrub_api.hpp"
#include "api/management/swarm_api.hpp"
#include "api/management/swarm_images_api.hpp"
#include "api/management/synchronisations_api.hpp"
#include "api/management/system_api.hpp"
#include "api/management/system_jobs_api.hpp"
#include "api/management/tag_history_api.hpp"
#include "api/management/tag_lifetimes_api.hpp"
#include "api/management/tag_states_api.hpp"
#include "api/management/teams_api.hpp"
#include "api/management/tenants_api.hpp"
#include "api/management/trash_api.hpp"
#include "api/management/usage_api.hpp"
#include "api/management/usergroups_api.hpp"
#include "api/management/users_api.hpp"
#include "api/management/webhooks_api.hpp"
#include "tenancy/tenancy_verbs.hpp"

namespace entrepot {

// What the resources of the management API are made from; all of it outlives the API.
struct ManagementNeeds {
    Gate& gate;
    const AccessPolicy& policy;
    Idempotency& idempotency;
    Projects& projects;
    Repositories& repositories;
    Renames& renames;
    Promotions& promotions;
    Checks& checks;
    Pipelines& pipelines;
    Artifacts& artifacts;
    Additions& additions;
    Icons& icons;
    Labels& labels;
    ImmutableRuleBook& immutable_rules;
    TagHistory& tag_history;
    Browse& browse;
    Trash& trash;
    PushPolicyBook& push_policies;
    Retentions& retentions;
    TagLifetimes& tag_lifetimes;
    Robots& robots;
    Settings& settings;
    TenancyVerbs& tenancy;
    ApiAudit& audit;
    AuditReader& audit_reader;
    Users& users;
    AccessTokens& access_tokens;
    Jobs& jobs;
    Schedules& schedules;
    JobQueue& job_queue;
    ScrubCatalog& scrub;
    Endpoints& endpoints;
    Replications& replications;
    Synchronisations& synchronisations;
    NodeDesk& nodes;
    SwarmLimitsDesk& swarm_limits;
    PreheatDesk& preheats;
    const Clock& clock;
    SwarmImagesApi::Needs swarm_images;
    EventsApi::Needs events;
    UsageApi::Needs usage;
    WebhooksApi::Needs webhooks;
    SystemApi::Needs system;
};

// /api: the router and every resource behind it. A new resource is a line in ManagementNeeds, a member, its
// initialiser and its add_to(). Safe from any thread.
class ManagementApi {
public:
    explicit ManagementApi(const ManagementNeeds& needs);

    asio::awaitable<Response> handle(const Request& request, ByteSource& body);
    const ApiRouter& router() const noexcept { return router_; }
    std::int64_t open_event_streams() const noexcept { return events_.open_streams(); }
    std::int64_t open_swarm_streams() const noexcept { return swarm_images_.open_streams(); }

private:
    asio::awaitable<Response> answer(const Request& request, ByteSource& body);

    ApiRouter router_;
    Documentation documentation_;
    ProjectsApi projects_;
    RepositoriesApi repositories_;
    RenamesApi renames_;
    PromotionsApi promotions_;
    ChecksApi checks_;
    PipelinesApi pipelines_;
    ArtifactsApi artifacts_;
    AdditionsApi additions_;
    QuotasApi quotas_;
    LabelsApi labels_;
    ImmutableRulesApi immutable_rules_;
    TagHistoryApi tag_history_;
    TagStatesApi tag_states_;
    TrashApi trash_;
    PushPoliciesApi push_policies_;
    RetentionsApi retentions_;
    TagLifetimesApi tag_lifetimes_;
    RobotsApi robots_;
    ConfigurationsApi configurations_;
    AuditApi audit_;
    EventsApi events_;
    WebhooksApi webhooks_;
    UsersApi users_;
    AccessTokensApi access_tokens_;
    SystemApi system_;
    TenantsApi tenants_;
    TeamsApi teams_;
    GrantsApi grants_;
    RolesApi roles_;
    MembersApi members_;
    UsergroupsApi usergroups_;
    JobsApi jobs_;
    SystemJobsApi garbage_collection_;
    SystemJobsApi purge_audit_;
    SystemJobsApi quota_recount_;
    UsageApi usage_;
    ScrubApi scrub_;
    SystemJobsApi scrubs_;
    RegistriesApi registries_;
    ReplicationsApi replications_;
    SynchronisationsApi synchronisations_;
    SwarmApi swarm_;
    PreheatApi preheats_;
    SwarmImagesApi swarm_images_;
};

}  // namespace entrepot
