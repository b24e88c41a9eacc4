#include "delivery/swarm_service.hpp"

#include "core/log.hpp"
#include "delivery/stored_bytes.hpp"
#include "swarm/hex32.hpp"
#include "swarm/identity/node_key.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr auto drain_patience = 10s;

}  // namespace

SwarmService::SwarmService(Needs needs, SwarmServiceSettings settings)
    : needs_{std::move(needs)},
      settings_{std::move(settings)},
      chunks_{needs_.blobs, needs_.reading},
      chance_{static_cast<std::uint64_t>(needs_.clock.now())},
      clock_tick_{loop_},
      view_{settings_.name, [this](const SwarmId& swarm) { asio::post(loop_, [this, swarm] { show_roll(swarm); }); }}
{
    TrackerSettings of_tracker;
    // Another one after each start: agents say again what they take part in.
    of_tracker.epoch = static_cast<std::uint64_t>(needs_.clock.now());
    of_tracker.random_seed = chance_.next();
    tracker_ = std::make_unique<Tracker>(of_tracker, tracker_policy_, static_cast<TrackerShell&>(*this));
}

SwarmService::~SwarmService() = default;

SwarmTime SwarmService::now() const noexcept
{
    return std::chrono::duration_cast<std::chrono::microseconds>(needs_.clock.steady().time_since_epoch()).count();
}

// A certificate that says that it is the registry, for a key that lasts from start to end: nodes know the seed by it.
Result<> SwarmService::certify_itself()
{
    const auto& authority = needs_.secrets->authority();
    if (!key_) {
        TRY(key_, NodeKey::generate());
    }
    TRY(const auto request, key_->request());
    const NodeAdmission admission{.name = settings_.name, .zone = {}, .seed = true};
    TRY(const auto certificate, authority.issue(request, admission, needs_.random, needs_.clock.now()));
    NodeTrust trust;
    CHECK(trust.trust(authority.certificate_pem()));
    TRY(tls_, PeerTlsContext::of(*key_, certificate.pem, std::move(trust)));
    certified_until_ = renewal_time(certificate.begins, certificate.ends, chance_);
    return {};
}

Result<> SwarmService::start()
{
    CHECK(verifier_.trust(needs_.secrets->signer().public_key()));
    CHECK(certify_itself());

    ControlServerSettings of_control;
    of_control.binding = settings_.binding;
    of_control.port = settings_.control_port;
    control_ = std::make_unique<ControlServer>(
        loop_.get_executor(), of_control, tls_, static_cast<ControlServerOwner&>(*this), needs_.clock
    );

    PeerNetworkSettings of_network;
    of_network.node.name = settings_.name;
    of_network.node.capabilities = CapabilitySet{}.with(Capability::serves).with(Capability::seed);
    of_network.node.up = settings_.link;
    of_network.node.random_seed = chance_.next();
    of_network.binding = settings_.binding;
    of_network.port = settings_.peer_port;
    of_network.up = settings_.up;
    of_network.most_connections = 4096;
    network_ = std::make_unique<PeerNetwork>(
        loop_.get_executor(),
        std::move(of_network),
        tls_,
        static_cast<PeerNetworkOwner&>(*this),
        static_cast<PeerChunkSink&>(*this),
        chunks_,
        needs_.clock
    );
    CHECK(control_->start());
    CHECK(network_->start());
    control_port_ = control_->port();

    PeerEntry seed;
    seed.node = tls_->own_id();
    seed.endpoint = settings_.advertised;
    seed.endpoint.port = network_->port();
    seed.progress = WireLimits::permille;
    seed.seed = true;
    tracker_->set_seeds({seed});
    tracker_->set_ticket_keys({needs_.secrets->signer().public_key()});
    tasks_.spawn(loop_.get_executor(), keep_time());
    thread_ = std::jthread{[this] { loop_.run(); }};
    log::info(
        "the swarm is open", {{"control", std::uint64_t{control_port_}}, {"peers", std::uint64_t{network_->port()}}}
    );
    return {};
}

void SwarmService::stop()
{
    if (!thread_.joinable()) return;
    const auto ending = [this]() -> asio::awaitable<void> {
        stopping_ = true;
        clock_tick_.cancel();
        co_await control_->stop();
        co_await network_->stop();
        co_await tasks_.drain(drain_patience);
    };
    asio::co_spawn(loop_, ending(), asio::use_future).get();
    thread_.join();
}

// ---- control streams

void SwarmService::opened(ControlId stream, const NodeIdentity& node, const PeerEndpoint& from)
{
    streams_.insert_or_assign(stream, node);
    tracker_->opened(stream, node.id, from, now());
}

void SwarmService::received(ControlId stream, const ControlFrame& frame)
{
    if (!tracker_->received(stream, frame, now())) return;
    const auto* const registered = std::get_if<RegisterFrame>(&frame);
    if (registered == nullptr) return;
    const auto node = streams_.find(stream);
    // On a stream aside nobody is asked for anything but images: the node's own one is elsewhere.
    if (needs_.watch != nullptr && node != streams_.end() && !registered->aside)
        needs_.watch->came(stream, node->second);
    for (const auto& [at, revocation] : revocations_) {
        std::string bytes;
        append_frame(bytes, ControlFrame{revocation});
        control_->send(stream, std::move(bytes));
    }
}

void SwarmService::broken(ControlId stream, const std::string& why)
{
    tracker_->broken(stream, why);
}

void SwarmService::forget(ControlId stream)
{
    streams_.erase(stream);
    if (needs_.watch != nullptr) needs_.watch->left(stream);
}

void SwarmService::closed(ControlId stream)
{
    forget(stream);
    tracker_->closed(stream);
}

void SwarmService::send(ControlId stream, std::string bytes)
{
    control_->send(stream, std::move(bytes));
}

void SwarmService::close(ControlId stream)
{
    forget(stream);
    control_->close(stream);
}

// ---- who takes part

Result<Ticket> SwarmService::check(const NodeId& node, const SwarmId& swarm, std::string_view ticket) const
{
    const TicketAsk ask{.node = node, .swarm = swarm, .needed = {.fetch = true, .serve = false}};
    return verifier_.check(as_bytes(ticket), ask, needs_.clock.now());
}

void SwarmService::wants(
    ControlId stream, const NodeId& node, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket
)
{
    const Asked asked{.stream = stream, .handle = handle, .swarm = swarm};
    auto checked = check(node, swarm, ticket);
    // The tracker must not be called from inside.
    if (!checked) {
        const std::lock_guard lock{report_mutex_};
        ++report_.refusals;
        log::debug("a node is not let into a swarm", {{"swarm", hex_of(swarm)}, {"why", checked.error().detail()}});
        asio::post(loop_, [this, asked] { tracker_->refused(asked.stream, asked.handle, asked.swarm); });
        return;
    }
    auto admitting = [](SwarmService& self, Asked what, Ticket shown, std::string bytes) -> asio::awaitable<void> {
        auto admission = self.admit(what, std::move(shown), std::move(bytes));
        const auto admitted = co_await std::move(admission);
        if (admitted) co_return;
        log::failure(log::Level::info, "a node is not let into a swarm", admitted.error());
        if (SwarmService::is_gone(admitted.error().code()))
            self.revoke(what.swarm);
        else
            self.tracker_->refused(what.stream, what.handle, what.swarm);
    };
    tasks_.spawn(loop_.get_executor(), admitting(*this, asked, *std::move(checked), ticket));
}

Task<> SwarmService::admit(Asked asked, Ticket ticket, std::string bytes)
{
    auto served = served_.find(asked.swarm);
    if (served == served_.end()) {
        CO_TRY(const auto image, co_await image_of(asked.swarm, ticket.repository, ticket.manifest));
        serve(image);
    } else if (!served->second.repositories.contains(ticket.repository)) {
        CO_CHECK(co_await check_manifest(ticket.repository, ticket.manifest));
    }
    // It may have been revoked meanwhile.
    CO_CHECK(verifier_.still_holds(ticket, needs_.clock.now()));
    served = served_.find(asked.swarm);
    if (served == served_.end()) co_return fail(Errc::not_found, "the image isn't served any more");
    served->second.repositories.insert(ticket.repository);
    served->second.idle_since = 0;
    served->second.rights.insert_or_assign(
        ticket.node, Right{.tenant = ticket.tenant, .repository = ticket.repository, .ends = ticket.ends()}
    );
    tracker_->admitted(asked.stream, asked.handle, asked.swarm, std::move(bytes), ticket.repository);
    co_return Result<>{};
}

Task<RepositoryName> SwarmService::repository_of(std::uint64_t id)
{
    CO_TRY(const auto record, co_await needs_.repositories.of_id(static_cast<std::int64_t>(id)));
    co_return RepositoryName::parse(record.name);
}

// The image from memory, or from where the ticket says that it is.
Task<ImageBundlePtr> SwarmService::image_of(SwarmId swarm, std::uint64_t repository, Sha256 manifest)
{
    CO_TRY(const auto name, co_await repository_of(repository));
    CO_TRY(auto image, co_await needs_.bundles.load(name, named_by(manifest)));
    if (image->descriptor.id() != swarm) co_return fail(Errc::not_found, "the image has another descriptor");
    co_return image;
}

Task<> SwarmService::check_manifest(std::uint64_t repository, Sha256 manifest)
{
    CO_TRY(const auto name, co_await repository_of(repository));
    const Reference reference{named_by(manifest)};
    CO_CHECK(co_await needs_.manifests.load(name, reference));
    co_return Result<>{};
}

void SwarmService::serve(const ImageBundlePtr& image)
{
    const auto id = image->descriptor.id();
    if (!served_.try_emplace(id, Served{.image = image, .rights{}, .repositories{}}).second) return;
    chunks_.add(image);
    network_->act([&](SwarmNode& node, SwarmTime) { node.add_seed(id, image->descriptor.layout(), 0); });
}

void SwarmService::end(const SwarmId& swarm, std::optional<DenyCode> why)
{
    network_->act([&](SwarmNode& node, SwarmTime time) { node.remove_swarm(swarm, why, time); });
    chunks_.remove(swarm);
    served_.erase(swarm);
}

void SwarmService::renewal(ControlId stream, const NodeId&, const std::string& request)
{
    const auto node = streams_.find(stream);
    if (node != streams_.end())
        tasks_.spawn(
            loop_.get_executor(),
            [](SwarmService& self, ControlId of, NodeIdentity who, std::string what) -> asio::awaitable<void> {
                auto certifying = self.certify(of, std::move(who), std::move(what));
                const auto certified = co_await std::move(certifying);
                if (certified) co_return;
                log::failure(log::Level::warning, "a node's certificate is not renewed", certified.error());
                // Nobody's fault: it asks again. Otherwise it is to come with a token.
                if (certified.error().code() == Errc::unavailable)
                    self.tracker_->renewal_failed(of);
                else
                    self.tracker_->certified(of, {}, {});
            }(*this, stream, node->second, request)
        );
}

Task<> SwarmService::certify(ControlId stream, NodeIdentity node, std::string request)
{
    auto renewing = needs_.nodes.renew(std::move(node), std::move(request));
    CO_TRY(auto certificate, co_await std::move(renewing));
    tracker_->certified(stream, std::move(certificate.pem), needs_.secrets->authority().certificate_pem());
    co_return Result<>{};
}

void SwarmService::reported(const NodeId& by, const ReportFrame& report)
{
    {
        const std::lock_guard lock{report_mutex_};
        ++report_.reports;
    }
    log::warning(
        "a node was sent a false chunk",
        {{"by", hex_of(by)},
         {"from", hex_of(report.node)},
         {"swarm", hex_of(report.swarm)},
         {"chunk", std::uint64_t{report.chunk}}}
    );
}

void SwarmService::preheat_progress(const NodeId& node, const PreheatProgressFrame& progress)
{
    if (needs_.watch != nullptr) needs_.watch->heard(node, progress);
}

void SwarmService::set_limits(SwarmLimits limits)
{
    asio::post(loop_, [this, limits = std::move(limits)]() mutable { tracker_->set_limits(std::move(limits)); });
}

PeerEndpoint SwarmService::control_endpoint() const noexcept
{
    return {.address = settings_.advertised.address, .port = control_port_};
}

void SwarmService::set_instances(std::vector<PeerEndpoint> living)
{
    asio::post(loop_, [this, living = std::move(living)]() mutable {
        tracker_->set_instances(control_endpoint(), std::move(living));
    });
}

void SwarmService::send(ControlId stream, PreheatFrame frame)
{
    asio::post(loop_, [this, stream, frame = std::move(frame)] {
        if (!streams_.contains(stream)) return;
        std::string bytes;
        append_frame(bytes, ControlFrame{frame});
        control_->send(stream, std::move(bytes));
    });
}

// ---- the seed

std::optional<DenyCode> SwarmService::refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket)
{
    if (peer.seed) return std::nullopt;
    if (check(peer.id, swarm, ticket)) return std::nullopt;
    return ticket_denial;
}

Task<> SwarmService::store(SwarmId, ChunkIndex, std::span<const std::byte>)
{
    co_return fail(Errc::unsupported, "the registry has its blobs from elsewhere");
}

}  // namespace entrepot
