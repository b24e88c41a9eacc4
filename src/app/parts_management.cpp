#include "app/parts.hpp"
#include "app/version.hpp"

namespace entrepot {

std::unique_ptr<SwarmEndpoint> App::Parts::new_swarm_endpoint()
{
    if (swarm.service() == nullptr) return nullptr;
    const SwarmEndpoint::Parts parts{
        .gate = gate,
        .policy = policy,
        .desk = swarm.nodes(),
        .bundles = swarm.bundles(),
        .tickets = swarm.tickets(),
        .secrets = swarm.secrets(),
        .audit = oci_audit,
        .trail = audit.trail(),
        .clock = clock,
    };
    // Behind what balances between instances, each names itself.
    return std::make_unique<SwarmEndpoint>(
        parts, ControlAddress{.host = config.swarm.advertise, .port = swarm.service()->control_port()}
    );
}

// What the management API is made from.
ManagementNeeds App::Parts::management_needs()
{
    return {
        .gate = gate,
        .policy = policy,
        .idempotency = idempotency,
        .projects = projects,
        .repositories = repositories,
        .renames = renames,
        .promotions = promotions,
        .checks = checks,
        .pipelines = pipelines,
        .artifacts = artifacts,
        .additions = additions,
        .icons = icons,
        .labels = labels,
        .immutable_rules = immutable_rules,
        .tag_history = tag_history,
        .browse = browse,
        .trash = trash,
        .push_policies = push_policies,
        .retentions = retentions,
        .tag_lifetimes = tag_lifetimes,
        .robots = robots,
        .settings = settings,
        .tenancy = tenancy,
        .audit = api_audit,
        .audit_reader = audit.reader(),
        .users = users,
        .access_tokens = access_tokens,
        .jobs = jobs,
        .schedules = schedules,
        .job_queue = store->job_queue(),
        .scrub = store->scrub(),
        .endpoints = exchange.endpoints(),
        .replications = exchange.replications(),
        .synchronisations = synchronous.synchronisations(),
        .nodes = swarm.nodes(),
        .swarm_limits = swarm.limits(),
        .preheats = swarm.preheats(),
        .clock = clock,
        .swarm_images =
            {.view = swarm.service() == nullptr ? nullptr : &swarm.service()->view(),
             .policy = policy,
             .clock = clock,
             .most_streams = config.events.streams},
        .events = {.feed = events.feed(), .policy = policy, .clock = clock, .most_streams = config.events.streams},
        .usage = {.reports = accounting.reports, .policy = policy, .clock = clock},
        .webhooks = {.webhooks = events.webhooks(), .policy = policy, .clock = clock},
        .system =
            {.policy = policy,
             .settings = settings,
             .projects = projects,
             .overview = overview,
             .operations = operations,
             .storage = blobs,
             .clock = clock,
             .version = version_text,
             .external_url = config.auth.external_url},
    };
}

}  // namespace entrepot
