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

void AgentSwarm::State::connected(TrackerStream& stream, const asio::ip::address&)
{
    forget_stream(stream);
    ++counters_.streams;
    if (is_home(stream)) renewal_asked_.reset();
    register_node(stream);
}

void AgentSwarm::State::lost(TrackerStream& stream, const std::string& why)
{
    log::debug("no stream to the tracker", {{"why", why}, {"aside", !is_home(stream)}});
    forget_stream(stream);
    if (!is_home(stream)) end_aside(stream, true);
}

void AgentSwarm::State::forget_stream(TrackerStream& stream)
{
    if (is_home(stream)) connected_ = false;
    for (auto& [id, life] : lives_) {
        if (life.at == &stream) unlist(id, life);
    }
    stream.forget_all();
}

// No tracker knows of it any more: neither do others say when copies become rare, nor is a neighbour given up, because
// nobody would name another one.
void AgentSwarm::State::unlist(const SwarmId& id, SwarmLife& life)
{
    if (life.at == nullptr) return;
    life.at->end(life.handle);
    life.at = nullptr;
    life.handle = SwarmHandle::connection;
    copies_.out_of_date(id, now());
    if (network_) network_->act([&](SwarmNode& node, SwarmTime) { node.set_tracked(id, false); });
}

void AgentSwarm::State::register_node(TrackerStream& stream)
{
    RegisterFrame frame;
    frame.name = settings_.name;
    frame.zone = settings_.zone;
    // An address of zeros: where the stream comes from.
    frame.endpoint.port = network_->port();
    frame.capabilities = CapabilitySet{}.with(Capability::serves).with(Capability::moves);
    frame.up = std::min(settings_.up, settings_.link);
    frame.down = std::min(settings_.down, settings_.link);
    frame.holdings_epoch = holdings_epoch_;
    frame.aside = stream.aside().has_value();
    stream.send(frame);
}

void AgentSwarm::State::received(TrackerStream& stream, const ControlFrame& frame)
{
    const auto act = [this, &stream]<class Frame>(const Frame& one) {
        if constexpr (requires { on(stream, one); })
            on(stream, one);
        else if constexpr (requires { on(one); })
            if (is_home(stream)) on(one);
    };
    std::visit(act, frame);
}

// ---- what the tracker says

void AgentSwarm::State::on(TrackerStream& from, const WelcomeFrame& frame)
{
    from.welcome = true;
    if (is_home(from)) {
        connected_ = true;
        report_interval_ = std::chrono::milliseconds{frame.report_ms};
        rates_ = frame.rates;
        polite_ = settings_.polite;
        apply_rates();
        identity_.wake();
    }
    for (auto& [id, life] : lives_) {
        if (life.at == nullptr) announce(id, life);
    }
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

SwarmLife* AgentSwarm::State::life_of(const TrackerStream& stream, SwarmHandle handle, SwarmId& id)
{
    const auto* const swarm = stream.swarm_of(handle);
    if (swarm == nullptr) return nullptr;
    id = *swarm;
    return find(id);
}

void AgentSwarm::State::on(TrackerStream& from, const NeighboursFrame& frame)
{
    SwarmId id;
    if (life_of(from, frame.handle, id) == nullptr) return;
    auto peers = frame.peers;
    const auto& tracker = from.tracker;
    const auto here = tracker.is_v4() ? asio::ip::make_address_v6(asio::ip::v4_mapped, tracker.to_v4()).to_bytes()
                                      : tracker.to_v6().to_bytes();
    for (auto& peer : peers) {
        if (!peer.endpoint.has_address()) std::ranges::copy(here, peer.endpoint.address.begin());
    }
    network_->act([&](SwarmNode& node, SwarmTime at) { node.neighbours(id, peers, at); });
}

void AgentSwarm::State::on(TrackerStream& from, const TicketFrame& frame)
{
    SwarmId id;
    auto* const life = life_of(from, frame.handle, id);
    if (life == nullptr) return;
    take_right(id, *life, frame.ticket);
    life->judged = life->ticket;
}

void AgentSwarm::State::on(TrackerStream& from, const RetireFrame& frame)
{
    SwarmId id;
    auto* const life = life_of(from, frame.handle, id);
    if (life == nullptr) return;
    if (life->ticket != life->judged) {
        // It was about a ticket that a newer one has taken the place of since.
        unlist(id, *life);
        return announce(id, *life);
    }
    ++counters_.retired;
    log::debug("the tracker has this node leave an image's swarm");
    leave(id, std::nullopt, false);
}

void AgentSwarm::State::on(TrackerStream&, const RevokeFrame& frame)
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

void AgentSwarm::State::on(TrackerStream& from, const HoldersFrame& frame)
{
    SwarmId id;
    if (const auto* const life = life_of(from, frame.handle, id)) copies_.said(life->image->descriptor(), frame.others);
}

void AgentSwarm::State::on(const PreheatFrame& frame)
{
    if (settings_.preheat) return settings_.preheat(frame);
    PreheatProgressFrame answer;
    answer.job = frame.job;
    answer.state = PreheatState::refused;
    answer.message = "this node takes no such jobs";
    home_->send(answer);
}

// ---- what the tracker is told

void AgentSwarm::State::tell(const PreheatProgressFrame& progress)
{
    if (connected_) home_->send(progress);
}

void AgentSwarm::State::announce(const SwarmId& id, SwarmLife& life)
{
    auto* const stream = life.at != nullptr ? life.at : stream_for(life);
    if (stream != nullptr && stream->welcome) announce_at(*stream, id, life);
}

void AgentSwarm::State::announce_at(TrackerStream& stream, const SwarmId& id, SwarmLife& life)
{
    if (life.at == nullptr) {
        life.at = &stream;
        life.handle = stream.number(id);
        // Only where the number is new it is looked at.
        life.judged = life.ticket;
        network_->act([&](SwarmNode& node, SwarmTime) { node.set_tracked(id, true); });
    }
    const auto& session = *network_->node().find(id);
    AnnounceFrame frame;
    frame.handle = life.handle;
    frame.swarm = id;
    frame.progress = permille_of(session);
    frame.missing_bytes = session.layout.bytes() - session.peer->held_bytes();
    frame.neighbours = neighbours_of(session);
    frame.preheat = !life.urgent;
    frame.here = life.here && is_home(stream);
    frame.ticket = life.ticket;
    stream.send(frame);
    life.told_progress = frame.progress;
    life.told_neighbours = frame.neighbours;
}

void AgentSwarm::State::report()
{
    const auto period = now() - reported_;
    if (period < report_interval_) return;
    reported_ = now();
    std::map<TrackerStream*, ProgressFrame> frames;
    for (auto& [id, life] : lives_) {
        catch_up(id, life);
        const auto news = news_of(id, life, period);
        if (!news) continue;
        auto& frame = frames[life.at];
        frame.swarms.push_back(*news);
        if (frame.swarms.size() < WireLimits::progress_items) continue;
        life.at->send(frame);
        frame.swarms.clear();
    }
    for (const auto& [stream, frame] : frames) {
        if (!frame.swarms.empty()) stream->send(frame);
    }
}

// nullopt: nothing has changed, or there is nobody to tell. Bytes that came meanwhile are told later.
std::optional<SwarmProgress> AgentSwarm::State::news_of(const SwarmId& id, SwarmLife& life, SwarmLife::Duration period)
{
    if (life.at == nullptr) return std::nullopt;
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
