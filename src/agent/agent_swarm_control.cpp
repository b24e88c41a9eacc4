#include "agent/agent_swarm_state.hpp"
#include "core/address.hpp"
#include "core/log.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace entrepot {

namespace {

constexpr std::uint8_t percent_of(AgentSwarmSettings::Duration part, AgentSwarmSettings::Duration whole) noexcept
{
    if (whole.count() <= 0) return 0;
    return static_cast<std::uint8_t>(std::clamp<std::int64_t>(part * 100 / whole, 0, WireLimits::percent));
}

// All of it only where nothing is missing.
std::uint16_t permille_of(const SwarmSession& session) noexcept
{
    if (session.complete()) return WireLimits::permille;
    const auto share =
        session.peer->held_bytes() * WireLimits::permille / std::max<std::uint64_t>(session.layout.bytes(), 1);
    return static_cast<std::uint16_t>(std::min<std::uint64_t>(share, WireLimits::permille - 1));
}

std::uint8_t neighbours_of(const SwarmSession& session) noexcept
{
    return static_cast<std::uint8_t>(std::min<std::size_t>(session.peer->neighbours(), 255));
}

}  // namespace

// ---- the stream

void AgentSwarm::State::connected(const asio::ip::address& tracker)
{
    forget_stream();
    tracker_ = tracker;
    ++counters_.streams;
    renewal_asked_.reset();
    register_node();
}

void AgentSwarm::State::lost(const std::string& why)
{
    log::debug("no stream to the tracker", {{"why", why}});
    forget_stream();
}

void AgentSwarm::State::forget_stream()
{
    connected_ = false;
    handles_.clear();
    last_handle_ = 0;
    copies_.all_out_of_date(now());
    for (auto& [id, life] : lives_) life.handle = SwarmHandle::connection;
}

void AgentSwarm::State::register_node()
{
    RegisterFrame frame;
    frame.name = settings_.name;
    frame.zone = settings_.zone;
    // An address of zeros: where the stream comes from.
    frame.endpoint.port = network_->port();
    frame.capabilities = CapabilitySet{}.with(Capability::serves);
    frame.up = std::min(settings_.up, settings_.link);
    frame.down = std::min(settings_.down, settings_.link);
    frame.holdings_epoch = holdings_epoch_;
    stream_->send(frame);
}

void AgentSwarm::State::received(const ControlFrame& frame)
{
    const auto act = [this]<class Frame>(const Frame& one) {
        if constexpr (requires { on(one); }) on(one);
    };
    std::visit(act, frame);
}

// ---- what the tracker says

void AgentSwarm::State::on(const WelcomeFrame& frame)
{
    connected_ = true;
    report_interval_ = std::chrono::milliseconds{frame.report_ms};
    rates_ = frame.rates;
    polite_ = settings_.polite;
    apply_rates();
    for (auto& [id, life] : lives_) announce(id, life);
    identity_.wake();
}

void AgentSwarm::State::on(const LimitsFrame& frame)
{
    rates_ = frame.rates;
    polite_ = frame.polite || settings_.polite;
    apply_rates();
}

// Of what is configured, what the tracker wants and what is left of the link, the strictest.
void AgentSwarm::State::apply_rates()
{
    if (!network_) return;
    if (!polite_)
        share_.reset();
    else if (!share_)
        share_.emplace(std::max<std::uint64_t>(settings_.link, 1));
    NodeRates rates;
    rates.up = std::min({settings_.up, rates_.up, share_ ? share_->up() : no_rate_limit});
    rates.down = std::min({settings_.down, rates_.down, share_ ? share_->down() : no_rate_limit, rate_ahead()});
    rates.across_zones = rates_.across_zones;
    if (rates == applied_) return;
    applied_ = rates;
    counters_.rate_up = rates.up;
    counters_.rate_down = rates.down;
    counters_.rate_across = rates.across_zones;
    network_->limit(rates.up, rates.down, rates.across_zones);
}

// What images that are fetched ahead may take together. Where a runtime waits for one, it has what there is.
std::uint64_t AgentSwarm::State::rate_ahead() const
{
    std::uint64_t together = 0;
    for (const auto& [id, life] : lives_) {
        const auto* const session = network_->node().find(id);
        if (session == nullptr || session->complete()) continue;
        if (life.urgent || life.rate == no_rate_limit) return no_rate_limit;
        together += life.rate;
    }
    return together == 0 ? no_rate_limit : together;
}

void AgentSwarm::State::make_way()
{
    if (!share_ || !network_) return;
    if (interface_.empty()) interface_ = interface_for(settings_.binding);
    const auto all = bytes_of_interface(interface_);
    if (!all) return;
    const auto& own = network_->counters();
    share_->look(*all, {.in = own.wire_in, .out = own.wire_out}, now());
}

SwarmLife* AgentSwarm::State::life_of(SwarmHandle handle, SwarmId& id)
{
    const auto found = handles_.find(handle);
    if (found == handles_.end()) return nullptr;
    id = found->second;
    return find(id);
}

void AgentSwarm::State::on(const NeighboursFrame& frame)
{
    SwarmId id;
    if (life_of(frame.handle, id) == nullptr) return;
    auto peers = frame.peers;
    const auto here = tracker_.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, tracker_.to_v4()).to_bytes()
                                       : tracker_.to_v6().to_bytes();
    for (auto& peer : peers) {
        if (!peer.endpoint.has_address()) std::ranges::copy(here, peer.endpoint.address.begin());
    }
    network_->act([&](SwarmNode& node, SwarmTime at) { node.neighbours(id, peers, at); });
}

void AgentSwarm::State::on(const TicketFrame& frame)
{
    SwarmId id;
    auto* const life = life_of(frame.handle, id);
    if (life == nullptr) return;
    take_right(id, *life, frame.ticket);
    life->judged = life->ticket;
}

void AgentSwarm::State::on(const RetireFrame& frame)
{
    SwarmId id;
    auto* const life = life_of(frame.handle, id);
    if (life == nullptr) return;
    if (life->ticket != life->judged) {
        // It was about a ticket that a newer one has taken the place of since.
        handles_.erase(frame.handle);
        life->handle = SwarmHandle::connection;
        return announce(id, *life);
    }
    ++counters_.retired;
    log::debug("the tracker has this node leave an image's swarm");
    leave(id, std::nullopt, false);
}

void AgentSwarm::State::on(const RevokeFrame& frame)
{
    desk_.revoke(frame, clock_.now());
    std::vector<SwarmId> ended;
    for (const auto& [id, life] : lives_) {
        // A right that was given after this one was taken is another.
        if (life.right && life.right->epoch >= frame.epoch) continue;
        const auto what = frame.kind == RevokedKind::swarms ? Sha256{id.bytes} : life.image->descriptor().manifest();
        if (std::ranges::find(frame.ids, what) != frame.ids.end()) ended.push_back(id);
    }
    for (const auto& id : ended) {
        ++counters_.revoked;
        leave(id, DenyCode::revoked, true);
    }
    if (settings_.revoked && frame.kind == RevokedKind::swarms) {
        for (const auto& id : frame.ids) settings_.revoked(SwarmId{id.bytes});
    }
    end_rights();
}

void AgentSwarm::State::on(const HoldersFrame& frame)
{
    SwarmId id;
    if (const auto* const life = life_of(frame.handle, id)) copies_.said(life->image->descriptor(), frame.others);
}

void AgentSwarm::State::on(const PreheatFrame& frame)
{
    if (settings_.preheat) return settings_.preheat(frame);
    PreheatProgressFrame answer;
    answer.job = frame.job;
    answer.state = PreheatState::refused;
    answer.message = "this node takes no such jobs";
    stream_->send(answer);
}

// ---- what the tracker is told

void AgentSwarm::State::tell(const PreheatProgressFrame& progress)
{
    if (connected_) stream_->send(progress);
}

void AgentSwarm::State::announce(const SwarmId& id, SwarmLife& life)
{
    if (!connected_) return;
    if (life.handle == SwarmHandle::connection) {
        // In turn: a number on its way never meets another swarm. There are fewer swarms than numbers.
        do {
            last_handle_ = static_cast<std::uint16_t>(last_handle_ % 65'535 + 1);
        } while (handles_.contains(SwarmHandle{last_handle_}));
        life.handle = SwarmHandle{last_handle_};
        handles_.emplace(life.handle, id);
        // Only where the number is new it is looked at.
        life.judged = life.ticket;
    }
    const auto& session = *network_->node().find(id);
    AnnounceFrame frame;
    frame.handle = life.handle;
    frame.swarm = id;
    frame.progress = permille_of(session);
    frame.missing_bytes = session.layout.bytes() - session.peer->held_bytes();
    frame.neighbours = neighbours_of(session);
    frame.preheat = !life.urgent;
    frame.ticket = life.ticket;
    stream_->send(frame);
    life.told_progress = frame.progress;
    life.told_neighbours = frame.neighbours;
}

void AgentSwarm::State::report()
{
    const auto period = now() - reported_;
    if (period < report_interval_) return;
    reported_ = now();
    ProgressFrame frame;
    const auto send = [&] {
        if (!frame.swarms.empty() && connected_) stream_->send(frame);
        frame.swarms.clear();
    };
    for (auto& [id, life] : lives_) {
        catch_up(id, life);
        if (const auto news = news_of(id, life, period)) frame.swarms.push_back(*news);
        if (frame.swarms.size() == WireLimits::progress_items) send();
    }
    send();
}

// nullopt: nothing has changed, or there is nobody to tell. Bytes that came meanwhile are told later.
std::optional<SwarmProgress> AgentSwarm::State::news_of(const SwarmId& id, SwarmLife& life, SwarmLife::Duration period)
{
    if (life.handle == SwarmHandle::connection) return std::nullopt;
    const auto& session = *network_->node().find(id);
    const auto traffic = network_->take_traffic(id);
    if (!session.complete()) life.note_idle(now());
    SwarmProgress news;
    news.handle = life.handle;
    news.progress = permille_of(session);
    news.neighbours = neighbours_of(session);
    news.idle = percent_of(std::exchange(life.idle, {}), period);
    news.from_origin =
        traffic.in[static_cast<std::size_t>(TrafficClass::origin)] + std::exchange(life.from_registry, 0);
    news.from_zone = traffic.in[static_cast<std::size_t>(TrafficClass::zone)];
    news.across_zones = traffic.in[static_cast<std::size_t>(TrafficClass::across)];
    news.uploaded = traffic.out;
    const bool same = news.progress == life.told_progress && news.neighbours == life.told_neighbours;
    const bool waits = !session.complete() && news.idle > 0;
    if (same && !waits && news.from_origin == 0 && traffic == SwarmTraffic{}) return std::nullopt;
    life.told_progress = news.progress;
    life.told_neighbours = news.neighbours;
    return news;
}

}  // namespace entrepot
