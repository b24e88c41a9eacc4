#include "swarm/net/peer_network.hpp"

#include "core/log.hpp"
#include "swarm/net/peer_network_state.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t raw_bytes = 256 * 1024;
constexpr std::size_t clear_bytes = 16 * 1024;  // a record of TLS
constexpr auto watch_interval = 100ms;
// Frames and DATA that the other side doesn't take for so long end the connection, should TCP not have ended it before.
constexpr auto longest_block = 10s;
constexpr auto drain_patience = 10s;

NodeSettings settings_of(const PeerNetworkSettings& settings, const NodeId& id, double up)
{
    auto made = settings.node;
    made.id = id;
    made.up = up;
    return made;
}

// BYE's reason is the first byte of its body.
std::optional<std::size_t> bye_reason(std::string_view frame)
{
    if (frame.size() <= frame_head_bytes || frame[4] != static_cast<char>(FrameType::bye)) return std::nullopt;
    const auto reason = static_cast<std::size_t>(static_cast<unsigned char>(frame[frame_head_bytes]));
    return reason < PeerNetworkCounters::bye_reasons ? reason : 0;
}

}  // namespace

double PeerNetwork::State::speed(double link, std::uint64_t limit) noexcept
{
    if (limit == no_rate_limit) return link;
    const auto most = static_cast<double>(limit);
    return link > 0 ? std::min(link, most) : most;
}

PeerNetwork::State::State(
    asio::any_io_executor loop,
    PeerNetworkSettings settings,
    std::shared_ptr<const PeerTlsContext> tls,
    PeerNetworkOwner& owner,
    PeerChunkSink& sink,
    PeerChunkSource& source,
    const Clock& clock
)
    : loop_{loop},
      settings_{std::move(settings)},
      tls_{std::move(tls)},
      owner_{owner},
      sink_{sink},
      source_{source},
      clock_{clock},
      node_{
          settings_of(settings_, tls_->own_id(), speed(settings_.node.up, settings_.up)),
          settings_.peer_policy,
          settings_.seed_policy,
          *this
      },
      up_{settings_.up},
      down_{settings_.down},
      arriving_{loop, settings_.most_arriving},
      listener_{loop},
      alarm_{loop},
      watching_{loop},
      uplink_waits_{loop},
      emptied_{loop},
      raw_(raw_bytes),
      clear_(clear_bytes)
{
}

SwarmTime PeerNetwork::State::swarm_now() const noexcept
{
    return std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch()).count();
}

Result<> PeerNetwork::State::start()
{
    TRY(binding_, LocalBinding::of(settings_.binding));
    CHECK(listener_.open(binding_, settings_.port));
    listener_.accept(tasks_, [this](Tcp::socket socket) { admit(std::move(socket)); });
    tasks_.spawn(loop_, keep_time());
    tasks_.spawn(loop_, watch());
    tasks_.spawn(loop_, watch_uplink());
    return {};
}

asio::awaitable<void> PeerNetwork::State::stop()
{
    stopping_ = true;
    boost::system::error_code unimportant;
    listener_.close();
    for (auto& [node, dialling] : dialling_) {
        if (dialling.socket != nullptr) dialling.socket->close(unimportant);
    }
    act([](SwarmNode& node, SwarmTime) { node.shut_down(); });
    for (const auto& [id, channel] : channels_) {
        if (!channel->open) cut(*channel);
    }
    const auto until = now() + settings_.farewell;
    while (!channels_.empty() && now() < until) co_await emptied_.wait(until);
    stopped_ = true;
    cut_all();
    alarm_.wake();
    watching_.wake();
    uplink_waits_.wake();
    const auto left = co_await tasks_.drain(drain_patience);
    if (left > 0) log::warning("chunks are still being stored", {{"count", static_cast<std::uint64_t>(left)}});
}

void PeerNetwork::State::limit(std::uint64_t up, std::uint64_t down, std::uint64_t across)
{
    up_.set(up, now());
    down_.set(down, now());
    link_known_ = 0;
    node_.set_up(speed(settings_.node.up, up));
    node_.set_across(across, swarm_now());
    pump();
}

// ---- what the node wants

void PeerNetwork::State::send(ConnectionId connection, std::string bytes)
{
    const auto found = channels_.find(connection);
    if (found == channels_.end()) return;
    if (const auto reason = bye_reason(bytes)) ++counters_.byes_out[*reason];
    found->second->control += bytes;
    found->second->writes.wake();
}

void PeerNetwork::State::close(ConnectionId connection)
{
    const auto found = channels_.find(connection);
    if (found == channels_.end()) return;
    auto& channel = *found->second;
    channel.closing = true;
    channel.ends = now() + settings_.farewell;
    channel.reads.wake();
    channel.writes.wake();
    channel.drained.wake();
}

void PeerNetwork::State::connect(const PeerEntry& peer)
{
    if (stopping_ || dialling_.contains(peer.node)) return;
    if (channels_.size() + dialling_.size() >= settings_.most_connections) {
        ++counters_.refused;
        dialling_.emplace(peer.node, Dialling{});
        missed_.push_back(peer.node);
        return;
    }
    dialling_.emplace(peer.node, Dialling{});
    tasks_.spawn(loop_, dial(peer));
}

std::optional<DenyCode> PeerNetwork::State::refusal(const NodeId& peer, const SwarmId& swarm, std::string_view ticket)
{
    const auto is_it = [&](const auto& entry) { return entry.second->open && entry.second->tls->peer().id == peer; };
    const auto found = std::ranges::find_if(channels_, is_it);
    if (found == channels_.end()) return DenyCode::ticket;
    return owner_.refusal(found->second->tls->peer(), swarm, ticket);
}

void PeerNetwork::State::starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped)
{
    wishes_.emplace_back([this, swarm, reason, dropped] { owner_.starved(swarm, reason, dropped); });
}

void PeerNetwork::State::complete(const SwarmId& swarm)
{
    wishes_.emplace_back([this, swarm] { owner_.complete(swarm); });
}

void PeerNetwork::State::caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent)
{
    wishes_.emplace_back([this, peer, swarm, extent] { owner_.caught(peer, swarm, extent); });
}

void PeerNetwork::State::wake_at(SwarmTime time)
{
    if (alarms_.empty() || time < *alarms_.begin()) alarm_.wake();
    alarms_.insert(time);
}

void PeerNetwork::State::settle()
{
    if (depth_ > 0 || settling_) return;
    settling_ = true;
    while (!wishes_.empty()) {
        const auto wish = std::move(wishes_.front());
        wishes_.pop_front();
        wish();
    }
    settling_ = false;
    if (std::exchange(uploads_wait_, false)) pump();
}

// ---- time

asio::awaitable<void> PeerNetwork::State::keep_time()
{
    while (!stopped_) {
        const auto next = alarms_.empty() ? Time::max() : Time{std::chrono::microseconds{*alarms_.begin()}};
        if (now() < next) {
            co_await alarm_.wait(next);
            continue;
        }
        alarms_.erase(alarms_.begin(), alarms_.upper_bound(swarm_now()));
        act([](SwarmNode& node, SwarmTime time) { node.wake(time); });
    }
}

asio::awaitable<void> PeerNetwork::State::watch()
{
    boost::system::error_code unimportant;
    while (!stopped_) {
        co_await watching_.wait(now() + watch_interval);
        const auto time = now();
        for (auto& [node, dialling] : dialling_) {
            if (dialling.socket != nullptr && time >= dialling.until) dialling.socket->close(unimportant);
        }
        // Not at once: whoever names them again would have them dialled without a pause.
        for (const auto& node : std::exchange(missed_, {})) {
            dialling_.erase(node);
            act([&](SwarmNode& ours, SwarmTime) { ours.unreachable(node); });
        }
        // Looking after one may end others.
        std::vector<Channel> all;
        all.reserve(channels_.size());
        for (const auto& [id, channel] : channels_) all.push_back(channel);
        for (const auto& channel : all) look_after(*channel, time);
        measure_way();
        std::erase_if(traffic_, [this](const auto& entry) { return node_.find(entry.first) == nullptr; });
    }
}

// To the farthest of those whom something is on its way to.
void PeerNetwork::State::measure_way()
{
    std::optional<std::chrono::microseconds> farthest;
    for (const auto& [id, channel] : channels_) {
        if (!channel->open || channel->cut || channel->taken == 0) continue;
        farthest = std::max(farthest, channel->stream->round_trip());
    }
    if (farthest) uplink_.reached(*farthest);
}

void PeerNetwork::State::look_after(PeerChannel& channel, Time time)
{
    if (channel.cut) return;
    if (channel.held) {
        // It may have said much that we don't read.
        if (channel.arriving) channel.arriving->due = time + settings_.chunk_time;
        act([&](SwarmNode& node, SwarmTime at) { node.heard(channel.id, at); });
    }
    const bool takes_nothing = channel.blocked != Time{} && time - channel.blocked >= longest_block;
    const bool sends_nothing = channel.arriving && channel.arriving->buffer && time >= channel.arriving->due;
    if (time < channel.ends && !takes_nothing && !sends_nothing) return;
    ++counters_.cut;
    cut(channel);
}

// ---- the outside

PeerNetwork::PeerNetwork(
    asio::any_io_executor loop,
    PeerNetworkSettings settings,
    std::shared_ptr<const PeerTlsContext> tls,
    PeerNetworkOwner& owner,
    PeerChunkSink& sink,
    PeerChunkSource& source,
    const Clock& clock
)
    : state_{std::make_unique<State>(std::move(loop), std::move(settings), std::move(tls), owner, sink, source, clock)}
{
}

PeerNetwork::~PeerNetwork() = default;

Result<> PeerNetwork::start()
{
    return state_->start();
}

std::uint16_t PeerNetwork::port() const noexcept
{
    return state_->port();
}

asio::awaitable<void> PeerNetwork::stop()
{
    return state_->stop();
}

void PeerNetwork::act(const std::function<void(SwarmNode&, SwarmTime)>& what)
{
    state_->act(what);
}

const SwarmNode& PeerNetwork::node() const noexcept
{
    return state_->node();
}

void PeerNetwork::renew(std::shared_ptr<const PeerTlsContext> tls)
{
    state_->renew(std::move(tls));
}

void PeerNetwork::limit(std::uint64_t up, std::uint64_t down, std::uint64_t across)
{
    state_->limit(up, down, across);
}

const PeerNetworkCounters& PeerNetwork::counters() const noexcept
{
    return state_->counters();
}

SwarmTraffic PeerNetwork::take_traffic(const SwarmId& swarm)
{
    return state_->take_traffic(swarm);
}

}  // namespace entrepot
