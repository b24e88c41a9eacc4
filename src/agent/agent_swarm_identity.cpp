#include "agent/agent_swarm_state.hpp"
#include "core/bytes.hpp"
#include "core/log.hpp"
#include "swarm/hex32.hpp"
#include "swarm/identity/node_identity.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

// A tracker that doesn't answer RENEW for so long is asked again.
constexpr auto renewal_patience = 30s;

}  // namespace

asio::awaitable<void> AgentSwarm::State::keep_identity()
{
    if (const auto& kept = credentials_.enrolment(); kept && kept->holds(clock_.now())) {
        if (const auto adopted = adopt(*kept); !adopted) complain(adopted.error());
    }
    auto pause = settings_.first_retry;
    while (!stopping_) {
        if (must_enrol()) {
            auto enrolling = enrol();
            const auto enrolled = co_await std::move(enrolling);
            if (!enrolled && !stopping_) {
                ++counters_.enrolment_failures;
                complain(enrolled.error());
                // Nodes that were turned away together don't come back together.
                const auto tenths = 7 + random_.below(4);
                co_await identity_.wait(now() + pause * tenths / 10);
                pause = std::min(2 * pause, settings_.longest_retry);
                continue;
            }
            pause = settings_.first_retry;
        }
        ask_for_renewal();
        auto searching = search_tracker();
        co_await std::move(searching);
        auto saving = save_enrolment();
        co_await std::move(saving);
        // The wall clock may jump, so that it is looked at, not waited for.
        if (!stopping_) co_await identity_.wait(now() + settings_.look_interval);
    }
}

bool AgentSwarm::State::must_enrol() const noexcept
{
    return !adopted_ || renewal_refused_ || !adopted_->holds(clock_.now());
}

// Each reason once, until there is another or it is over.
void AgentSwarm::State::complain(const Error& error)
{
    auto complaint = error.message() + error.detail();
    if (complaint == complaint_) return;
    complaint_ = std::move(complaint);
    log::failure(log::Level::warning, "being certified as a node", error);
}

Task<> AgentSwarm::State::enrol()
{
    NodeApplication application;
    application.registry = settings_.registry;
    application.token_file = settings_.token_file;
    application.name = settings_.name;
    application.zone = settings_.zone;
    CO_TRY(application.request, credentials_.key().request());
    auto asking = enrol_node(client_, std::move(application), clock_, pool_);
    CO_TRY(const auto enrolment, co_await std::move(asking));
    if (stopping_) co_return Result<>{};
    CO_CHECK(adopt(enrolment));
    ++counters_.enrolments;
    unsaved_ = enrolment_json(enrolment);
    log::info("the registry has certified this node", {{"node", settings_.name}, {"until", rfc3339(enrolment.ends)}});
    co_return Result<>{};
}

asio::awaitable<void> AgentSwarm::State::save_enrolment()
{
    if (!unsaved_) co_return;
    auto saving = offload(pool_, [directory = credentials_.directory(), json = *std::exchange(unsaved_, std::nullopt)] {
        return NodeCredentials::keep(directory, json);
    });
    // It goes on without: a restart will ask for another certificate.
    if (const auto saved = co_await std::move(saving); !saved)
        log::failure(log::Level::warning, "keeping the node's certificate", saved.error());
}

// From now on everything goes by this.
Result<> AgentSwarm::State::adopt(const NodeEnrolment& enrolment)
{
    TRY(const auto tls, credentials_.tls(enrolment));
    desk_.trust(enrolment.ticket_keys);
    CHECK(open_network(tls));
    open_stream(enrolment, tls);
    credentials_.use(enrolment);
    adopted_ = enrolment;
    renew_at_ = renewal_time(enrolment.begins, enrolment.ends, random_);
    renewal_asked_.reset();
    renewal_refused_ = false;
    complaint_.clear();
    const std::lock_guard guard{mutex_};
    published_node_ = hex_of(credentials_.key().id());
    return {};
}

Result<> AgentSwarm::State::open_network(std::shared_ptr<const PeerTlsContext> tls)
{
    if (network_) {
        network_->renew(std::move(tls));
        return {};
    }
    PeerNetworkSettings settings;
    settings.node.name = settings_.name;
    settings.node.zone = settings_.zone;
    settings.node.capabilities = CapabilitySet{}.with(Capability::serves);
    settings.node.up = static_cast<double>(settings_.link);
    settings.node.random_seed = random_.next();
    settings.binding = settings_.binding;
    settings.port = settings_.port;
    settings.up = settings_.up;
    settings.down = settings_.down;
    auto network =
        std::make_unique<PeerNetwork>(loop_, std::move(settings), std::move(tls), *this, *this, *this, clock_);
    CHECK(network->start());
    network_ = std::move(network);
    applied_ = {};
    port_ = network_->port();
    for (const auto& [id, life] : lives_) enter(id, life);
    return {};
}

void AgentSwarm::State::open_stream(const NodeEnrolment& enrolment, std::shared_ptr<const PeerTlsContext> tls)
{
    tls_ = std::move(tls);
    for (const auto& aside : asides_) aside->renew(tls_);
    if (home_ && adopted_->control_host == enrolment.control_host && adopted_->control_port == enrolment.control_port) {
        home_->renew(tls_);
        return;
    }
    if (home_) {
        forget_stream(*home_);
        end_stream(std::move(home_));
    }
    home_ = new_stream(std::nullopt, enrolment.control_host, enrolment.control_port);
}

std::unique_ptr<TrackerStream>
AgentSwarm::State::new_stream(std::optional<PeerEndpoint> aside, const std::string& host, std::uint16_t port)
{
    ControlStreamSettings settings;
    settings.host = host;
    settings.port = port;
    settings.binding = settings_.binding;
    auto stream = std::make_unique<TrackerStream>(*this, aside, now());
    stream->start(loop_, std::move(settings), tls_, clock_);
    return stream;
}

// It hears nothing any more, and is there until it has said farewell.
void AgentSwarm::State::end_stream(std::unique_ptr<TrackerStream> stream)
{
    tasks_.spawn(loop_, [](std::unique_ptr<TrackerStream> ending) -> asio::awaitable<void> {
        co_await ending->stop();
    }(std::move(stream)));
}

// The registry may have its control streams elsewhere since this node was certified.
asio::awaitable<void> AgentSwarm::State::search_tracker()
{
    if (connected_ || !adopted_ || stopping_) {
        search_at_.reset();
        other_at_.reset();
        search_pause_ = settings_.first_search;
        co_return;
    }
    if (try_other_instance()) co_return;
    // Those who lost it together don't ask together.
    const auto later = [this] { return now() + search_pause_ * (7 + random_.below(7)) / 10; };
    if (!search_at_) search_at_ = later();
    if (now() < *search_at_) co_return;
    search_pause_ = std::min(2 * search_pause_, settings_.longest_search);
    search_at_ = later();
    auto asking = find_control(client_, settings_.registry, hex_of(credentials_.key().id()), *adopted_);
    const auto found = co_await std::move(asking);
    if (!found) {
        log::failure(log::Level::debug, "asking the registry where its tracker is", found.error());
        co_return;
    }
    const bool same = found->control_host == adopted_->control_host && found->control_port == adopted_->control_port;
    if (same || connected_ || stopping_) co_return;
    if (const auto adopted = adopt(*found); !adopted) co_return complain(adopted.error());
    ++counters_.moves;
    unsaved_ = enrolment_json(*found);
    log::info(
        "the tracker is elsewhere now", {{"host", found->control_host}, {"port", std::uint64_t{found->control_port}}}
    );
}

void AgentSwarm::State::ask_for_renewal()
{
    if (!connected_ || clock_.now() < renew_at_) return;
    if (renewal_asked_ && now() - *renewal_asked_ < renewal_patience) return;
    const auto request = credentials_.key().request();
    if (!request) return complain(request.error());
    renewal_asked_ = now();
    home_->send(RenewFrame{.request = *request});
}

void AgentSwarm::State::on(const CertificateFrame& frame)
{
    if (!adopted_ || !renewal_asked_) return;
    if (frame.certificate.empty()) {
        ++counters_.renewals_refused;
        renewal_refused_ = true;
        log::warning("the registry does not renew this node's certificate", {{"node", settings_.name}});
        return identity_.wake();
    }
    const auto renewed = renewed_enrolment(*adopted_, frame.certificate, frame.authorities);
    if (const auto adopted = renewed ? adopt(*renewed) : Result<>{std::unexpected{renewed.error()}}; !adopted)
        return complain(adopted.error());
    ++counters_.renewals;
    unsaved_ = enrolment_json(*renewed);
    log::info("this node's certificate is renewed", {{"node", settings_.name}, {"until", rfc3339(renewed->ends)}});
    identity_.wake();
}

void AgentSwarm::State::on(const TicketKeysFrame& frame)
{
    desk_.trust(frame.keys);
    if (!adopted_ || adopted_->ticket_keys == frame.keys) return;
    adopted_->ticket_keys = frame.keys;
    credentials_.use(*adopted_);
    unsaved_ = enrolment_json(*adopted_);
    identity_.wake();
}

}  // namespace entrepot
