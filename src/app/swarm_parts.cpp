#include "app/swarm_parts.hpp"

#include "app/start_failure.hpp"
#include "core/address.hpp"
#include "core/host_name.hpp"
#include "core/log.hpp"
#include "core/run_to_end.hpp"
#include "swarm/identity/node_identity.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr std::int64_t events_at_once = 1000;
// After which an image may be gone from where somebody's right to it came from.
constexpr std::array removals{
    event_type::artifact_deleted,
    event_type::repository_deleted,
    event_type::repository_renamed,
    event_type::project_deleted,
    event_type::project_renamed,
    event_type::project_updated,
    event_type::tenant_deleted,
};

// Of this instance, as nodes have names.
std::string node_name_of(const Config& config)
{
    const auto name = config.instance.name.empty() ? host_name() : config.instance.name;
    return is_node_name(name) ? name : "registry";
}

SwarmServiceSettings settings_of(const Config& config)
{
    SwarmServiceSettings settings;
    settings.name = node_name_of(config);
    settings.binding = config.swarm.binding;
    settings.control_port = config.swarm.control_port;
    settings.peer_port = config.swarm.peer_port;
    if (const auto address = Address::parse(config.swarm.advertise)) settings.advertised.address = address->bytes();
    if (config.swarm.bytes_per_second != 0) {
        settings.up = config.swarm.bytes_per_second;
        settings.link = static_cast<double>(settings.up);
    }
    return settings;
}

}  // namespace

SwarmParts::SwarmParts(const Needs& needs)
    : needs_{needs},
      box_{needs.master_key, needs.random},
      limits_{needs.store.settings(), needs.policy, needs.clock},
      pull_tokens_{needs.store.accounts(), needs.keys, needs.policy, needs.clock, needs.random, needs.token_settings}
{
    auto opened = run_to_end(SwarmSecrets::open(needs_.store.nodes(), box_, needs_.random, needs_.clock));
    if (!opened) throw start_failure("the keys of the swarm", opened.error());
    secrets_ = *std::move(opened);
    nodes_ = std::make_unique<NodeDesk>(needs_.store.nodes(), needs_.policy, secrets_, needs_.random, needs_.clock);
    bundles_ = std::make_unique<ImageBundles>(
        needs_.store.manifests(), needs_.store.blobs(), needs_.blobs, needs_.store.chunks(), hashing_
    );
    tickets_ = std::make_unique<SwarmTickets>(needs_.store.nodes(), secrets_, needs_.clock, epoch_);
    preheats_ = std::make_unique<PreheatDesk>(
        needs_.store.preheats(),
        needs_.store.nodes(),
        needs_.store.manifests(),
        needs_.policy,
        needs_.clock,
        needs_.hurry_preheats
    );
    if (!needs_.config.swarm.enabled) return;
    if (needs_.config.swarm.prepare) {
        preparing_ = std::make_unique<ImagePreparing>(needs_.store.events(), needs_.clock, *bundles_, hashing_);
        // From the start on: at the first one of all, its cursor begins here.
        if (const auto begun = run_to_end(preparing_->run()); !begun) throw start_failure("the swarm", begun.error());
    }
    rounds_ = std::make_unique<PreheatRounds>(PreheatRounds::Needs{
        .catalog = needs_.store.preheats(),
        .manifests = needs_.store.manifests(),
        .tokens = pull_tokens_,
        .clock = needs_.clock,
        .send = [this](ControlId stream, PreheatFrame frame) { service_->send(stream, std::move(frame)); },
    });
    const SwarmService::Needs of_service{
        .nodes = *nodes_,
        .bundles = *bundles_,
        .tickets = *tickets_,
        .epoch = epoch_,
        .secrets = secrets_,
        .repositories = needs_.store.repositories(),
        .manifests = needs_.store.manifests(),
        .blobs = needs_.blobs,
        .reading = reading_,
        .random = needs_.random,
        .clock = needs_.clock,
        .watch = rounds_.get(),
    };
    service_ = std::make_unique<SwarmService>(of_service, settings_of(needs_.config));
    auto limits = run_to_end(limits_.current());
    if (!limits) throw start_failure("the limits of the swarm", limits.error());
    service_->set_limits(*std::move(limits));
    if (const auto started = service_->start(); !started) throw start_failure("the swarm", started.error());
    meet_others();
}

// Where they share a database, and nodes can be told which one they are to come to.
void SwarmParts::meet_others()
{
    if (!needs_.config.uses_postgres() || needs_.config.swarm.advertise.empty()) return;
    instances_ = std::make_unique<SwarmInstances>(
        needs_.store.nodes(),
        service_->control_endpoint(),
        [this](std::vector<PeerEndpoint> living) { service_->set_instances(std::move(living)); }
    );
    if (const auto met = run_to_end(instances_->meet()); !met)
        throw start_failure("meeting the other instances of the swarm", met.error());
}

SwarmParts::~SwarmParts() = default;

std::vector<Background::Chore> SwarmParts::chores()
{
    if (!service_) return {};
    std::vector<Background::Chore> all{
        {.name = std::string{following}, .every = 1s, .run = [this] { return follow(); }},
        {.name = std::string{preheating}, .every = 1s, .run = [this] { return rounds_->run(); }},
        {.name = "forgotten nodes", .every = 1h, .run = [this] { return forget(); }},
    };
    if (instances_) {
        all.push_back({.name = "instances of the swarm", .every = SwarmInstances::beat, .run = [this] {
                           return instances_->meet();
                       }});
    }
    if (preparing_) {
        all.push_back({.name = std::string{preparing}, .every = 1s, .run = [this] { return preparing_->run(); }});
    }
    return all;
}

// Nodes that never came back.
Task<> SwarmParts::forget()
{
    CO_CHECK(co_await needs_.trail.ready());
    auto forgetting = nodes_->forget(std::chrono::microseconds{needs_.config.swarm.forget_after}.count());
    CO_TRY(const auto gone, co_await std::move(forgetting));
    for (const auto& node : gone) {
        const auto heard = rfc3339(node.certified_at);
        log::info(
            "a node that was not heard of is forgotten", {{"node", node.name}, {"id", node.id}, {"since", heard}}
        );
        AuditRecord record;
        record.at = needs_.clock.now();
        record.operation = "delete";
        record.resource_type = "node";
        record.resource = node.name;
        record.detail = "not heard of since " + heard;
        CO_CHECK(co_await needs_.trail.record(std::move(record)));
    }
    co_return Result<>{};
}

// Removals and other limits are told to the service; what happened before the start it asks the catalogs about anyway.
Task<> SwarmParts::follow()
{
    CO_TRY(const auto range, co_await needs_.store.events().settle());
    if (followed_ < 0) {
        followed_ = range.newest;
        service_->recheck(static_cast<std::uint64_t>(followed_));
    }
    bool removed = followed_ + 1 < range.oldest;
    limits_changed_ = limits_changed_ || removed;
    followed_ = std::max(followed_, range.oldest - 1);
    while (followed_ < range.newest) {
        CO_TRY(const auto events, co_await needs_.store.events().read(followed_, events_at_once));
        if (events.empty()) break;
        for (const auto& event : events) {
            removed = removed || std::ranges::count(removals, event.type) > 0;
            limits_changed_ = limits_changed_ || event.type == event_type::configuration_updated;
        }
        followed_ = events.back().sequence;
    }
    if (removed) service_->recheck(static_cast<std::uint64_t>(followed_));
    co_return co_await follow_limits();
}

// Once more when it fails.
Task<> SwarmParts::follow_limits()
{
    if (!limits_changed_) co_return Result<>{};
    CO_TRY(auto limits, co_await limits_.current());
    limits_changed_ = false;
    service_->set_limits(std::move(limits));
    co_return Result<>{};
}

void SwarmParts::stop()
{
    if (instances_) {
        if (const auto parted = run_to_end(instances_->part()); !parted)
            log::failure(log::Level::debug, "parting from the other instances of the swarm", parted.error());
    }
    if (service_) service_->stop();
    const auto ending = [](ImageBundles& bundles, ImagePreparing* images) -> Task<> {
        co_await bundles.drain();
        if (images != nullptr) co_await images->drain();
        co_return Result<>{};
    };
    (void)run_to_end(ending(*bundles_, preparing_.get()));
    hashing_.join();
    reading_.join();
}

void SwarmParts::add_metrics(MetricsText& text) const
{
    if (!service_) return;
    const auto report = service_->report();
    text.gauge("entrepot_swarm_nodes", "Nodes with a control stream to this instance.", report.nodes);
    text.gauge(
        "entrepot_swarm_instances",
        "Instances that track swarms together, this one included; 0: it tracks alone.",
        instances_ ? instances_->living() : 0
    );
    text.gauge("entrepot_swarm_images", "Images that nodes take part in.", report.images);
    text.gauge("entrepot_swarm_members", "Nodes that take part, summed over images.", report.members);
    if (preparing_) {
        const auto waiting = static_cast<std::uint64_t>(preparing_->waiting());
        text.gauge(
            "entrepot_swarm_images_preparing", "Images that were pushed and are being made ready for nodes.", waiting
        );
        text.counter(
            "entrepot_swarm_images_prepared_total",
            "Images that were made ready when they were pushed.",
            preparing_->prepared()
        );
    }
    text.counter("entrepot_swarm_tickets_renewed_total", "Tickets that were renewed.", report.tickets_renewed);
    text.counter("entrepot_swarm_refusals_total", "Nodes that were not let into a swarm.", report.refusals);
    text.counter("entrepot_swarm_revocations_total", "Images that were taken back from all nodes.", report.revocations);
    text.counter("entrepot_swarm_false_chunks_total", "Chunks that nodes were sent with false bytes.", report.reports);
    std::uint64_t sent = 0;
    for (const auto bytes : report.seed.data_out) sent += bytes;
    text.counter("entrepot_swarm_seed_bytes_total", "Bytes of chunks that this instance has sent to nodes.", sent);
    const std::array<std::pair<std::string_view, std::uint64_t>, 3> received{
        {{"registry", report.received.origin}, {"zone", report.received.zone}, {"across", report.received.across}}
    };
    for (const auto& [from, bytes] : received) {
        text.counter(
            "entrepot_swarm_received_bytes_total",
            "Bytes of chunks that nodes say they have received, by whom from: the registry, nodes of their zone, "
            "others.",
            bytes,
            {{"from", from}}
        );
    }
    text.counter(
        "entrepot_swarm_bound_seconds_total",
        "Time that the links of nodes that have become complete would have taken for what they received.",
        report.pace.bound_seconds
    );
    text.counter(
        "entrepot_swarm_fetch_seconds_total",
        "Time that it took them. The one by this one is the swarm's efficiency.",
        report.pace.seconds
    );
    text.gauge("entrepot_swarm_seed_connections", "Connections of nodes to the seed.", report.seed.connections);
    const auto preheats = rounds_->report();
    text.gauge("entrepot_preheats", "Preheats that run, of all instances.", preheats.running);
    constexpr std::string_view nodes = "Nodes of this instance that were told to have an image, and what came of it.";
    text.counter("entrepot_preheat_nodes_total", nodes, preheats.told, {{"state", "told"}});
    text.counter("entrepot_preheat_nodes_total", nodes, preheats.done, {{"state", "done"}});
    text.counter("entrepot_preheat_nodes_total", nodes, preheats.failed, {{"state", "failed"}});
}

}  // namespace entrepot
