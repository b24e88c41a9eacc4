#include "api/management/management_api.hpp"

#include "api/error_answer.hpp"
#include "api/management/api_values.hpp"
#include "api/management/former_name_redirects.hpp"

namespace entrepot {
namespace {

constexpr std::string_view version_path = "/api/version";
constexpr std::string_view docs_path = "/api/docs";

// Which API this is, for clients that ask before they know the rest of the path.
Response version_answer(const Request& request)
{
    if (!is_read(request.method)) return method_not_allowed("GET, HEAD");
    return json_response(boost::json::object{{"version", "v2.0"}});
}

}  // namespace

ManagementApi::ManagementApi(const ManagementNeeds& needs)
    : router_{needs.gate, &needs.settings, &needs.idempotency, &needs.audit},
      projects_{needs.projects, needs.policy},
      repositories_{needs.repositories, needs.policy},
      renames_{needs.renames, needs.policy},
      promotions_{needs.promotions, needs.policy},
      checks_{needs.checks, needs.policy},
      pipelines_{needs.pipelines, needs.policy},
      artifacts_{needs.artifacts, needs.policy},
      additions_{needs.additions, needs.icons, needs.policy},
      quotas_{needs.projects},
      labels_{needs.labels, needs.policy},
      immutable_rules_{needs.immutable_rules, needs.policy},
      tag_history_{needs.tag_history, needs.policy},
      tag_states_{needs.browse},
      trash_{needs.trash, needs.policy},
      push_policies_{needs.push_policies, needs.policy},
      retentions_{needs.retentions, needs.policy},
      tag_lifetimes_{needs.tag_lifetimes, needs.policy, needs.clock},
      robots_{needs.robots, needs.policy},
      configurations_{needs.settings},
      audit_{needs.audit_reader, needs.policy},
      events_{needs.events},
      webhooks_{needs.webhooks},
      users_{needs.users, needs.policy},
      access_tokens_{needs.access_tokens, needs.clock},
      system_{needs.system},
      tenants_{needs.tenancy.tenants, needs.tenancy.tenant_members, needs.tenancy.roles_kept, needs.policy},
      teams_{needs.tenancy.teams, needs.policy},
      grants_{needs.tenancy.grants, needs.tenancy.explain, needs.policy},
      roles_{needs.tenancy.roles},
      members_{needs.tenancy.project_members, needs.policy},
      usergroups_{needs.tenancy.user_groups},
      jobs_{needs.jobs, needs.schedules, needs.policy, needs.clock},
      garbage_collection_{
          garbage_collection_job(), {needs.jobs, needs.schedules, needs.job_queue, needs.policy, needs.clock}
      },
      purge_audit_{purge_audit_job(), {needs.jobs, needs.schedules, needs.job_queue, needs.policy, needs.clock}},
      quota_recount_{quota_recount_job(), {needs.jobs, needs.schedules, needs.job_queue, needs.policy, needs.clock}},
      usage_{needs.usage},
      scrub_{needs.scrub, needs.policy},
      scrubs_{scrub_job(), {needs.jobs, needs.schedules, needs.job_queue, needs.policy, needs.clock}},
      registries_{needs.endpoints},
      replications_{{needs.replications, needs.clock}},
      synchronisations_{needs.synchronisations, needs.policy},
      swarm_{needs.nodes, needs.swarm_limits},
      preheats_{needs.preheats},
      swarm_images_{needs.swarm_images}
{
    router_.redirect_with(FormerNameRedirects{needs.policy});
    documentation_.add_to(router_);
    projects_.add_to(router_);
    repositories_.add_to(router_);
    renames_.add_to(router_);
    promotions_.add_to(router_);
    checks_.add_to(router_);
    pipelines_.add_to(router_);
    artifacts_.add_to(router_);
    additions_.add_to(router_);
    quotas_.add_to(router_);
    labels_.add_to(router_);
    immutable_rules_.add_to(router_);
    tag_history_.add_to(router_);
    tag_states_.add_to(router_);
    trash_.add_to(router_);
    push_policies_.add_to(router_);
    retentions_.add_to(router_);
    tag_lifetimes_.add_to(router_);
    robots_.add_to(router_);
    configurations_.add_to(router_);
    audit_.add_to(router_);
    events_.add_to(router_);
    webhooks_.add_to(router_);
    users_.add_to(router_);
    access_tokens_.add_to(router_);
    system_.add_to(router_);
    tenants_.add_to(router_);
    teams_.add_to(router_);
    grants_.add_to(router_);
    roles_.add_to(router_);
    members_.add_to(router_);
    usergroups_.add_to(router_);
    jobs_.add_to(router_);
    garbage_collection_.add_to(router_);
    purge_audit_.add_to(router_);
    quota_recount_.add_to(router_);
    usage_.add_to(router_);
    scrub_.add_to(router_);
    scrubs_.add_to(router_);
    registries_.add_to(router_);
    replications_.add_to(router_);
    synchronisations_.add_to(router_);
    swarm_.add_to(router_);
    preheats_.add_to(router_);
    swarm_images_.add_to(router_);
}

asio::awaitable<Response> ManagementApi::handle(const Request& request, ByteSource& body)
{
    auto response = co_await answer(request, body);
    // What people wrote is in these answers: no browser shall guess that it is a page.
    response.add("X-Content-Type-Options", "nosniff");
    co_return response;
}

asio::awaitable<Response> ManagementApi::answer(const Request& request, ByteSource& body)
{
    if (request.path == version_path) co_return version_answer(request);
    if (request.path == docs_path) co_return documentation_.page(request);
    co_return co_await router_.handle(request, body);
}

}  // namespace entrepot
