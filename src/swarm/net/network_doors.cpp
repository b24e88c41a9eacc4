#include "swarm/net/peer_handshake.hpp"
#include "swarm/net/peer_network_state.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using boost::system::error_code;

constexpr std::size_t handshake_read = 16 * 1024;

asio::ip::tcp::endpoint endpoint_of(const PeerEndpoint& peer)
{
    const asio::ip::address_v6 address{peer.address};
    if (peer.is_v4()) return {asio::ip::make_address_v4(asio::ip::v4_mapped, address), peer.port};
    return {address, peer.port};
}

}  // namespace

bool PeerNetwork::State::may_enter(const Address& address) const
{
    const auto known = of_address_.find(address.bytes());
    return channels_.size() + dialling_.size() < settings_.most_connections &&
           handshakes_ < settings_.most_handshakes &&
           (known == of_address_.end() || known->second < settings_.most_of_address);
}

void PeerNetwork::State::admit(Tcp::socket socket)
{
    error_code error;
    const auto from = socket.remote_endpoint(error);
    if (error || stopping_) return;
    const auto address = Address::of(*from.data());
    if (!may_enter(address)) {
        ++counters_.refused;
        return;
    }
    const auto channel = enter(std::move(socket), std::nullopt);
    channel->address = address;
    ++of_address_[address.bytes()];
    tasks_.spawn(loop_, serve(channel));
}

PeerNetwork::State::Channel PeerNetwork::State::enter(Tcp::socket socket, std::optional<NodeId> wanted)
{
    auto stream = make_socket_stream(std::move(socket));
    if (settings_.wrap) stream = settings_.wrap(std::move(stream));
    auto tls = std::make_unique<PeerTls>(tls_, wanted.has_value(), clock_.now());
    const PeerChannel::Lines lines{.up = up_, .down = down_};
    auto channel = std::make_shared<PeerChannel>(loop_, ++last_connection_, std::move(stream), std::move(tls), lines);
    channel->wanted = wanted;
    channel->ends = now() + settings_.handshake_time;
    channels_.emplace(channel->id, channel);
    ++handshakes_;
    return channel;
}

asio::awaitable<void> PeerNetwork::State::dial(PeerEntry peer)
{
    Tcp::socket socket{loop_};
    auto& dialling = dialling_[peer.node];
    dialling = {.socket = &socket, .until = now() + settings_.handshake_time};
    bool reached = false;
    if (!stopping_) {
        auto reaching = reach(socket, endpoint_of(peer.endpoint), binding_);
        reached = (co_await std::move(reaching)).has_value();
    }
    dialling.socket = nullptr;
    if (!reached || stopping_) {
        ++counters_.dials_failed;
        missed_.push_back(peer.node);
        co_return;
    }
    const auto channel = enter(std::move(socket), peer.node);
    auto serving = serve(channel);
    co_await std::move(serving);
}

asio::awaitable<void> PeerNetwork::State::serve(Channel channel)
{
    const Leaving leaving{*this, *channel};
    auto shaking = shake_hands(*channel->stream, *channel->tls, std::span{raw_}.first(handshake_read));
    const auto agreed = co_await std::move(shaking);
    --handshakes_;
    if (!agreed) log_refusal(channel->address, agreed.error());
    if (!agreed || stopping_ || !begin(*channel)) {
        ++counters_.handshakes_failed;
        co_return;
    }
    ++counters_.handshakes_ok;
    tasks_.spawn(loop_, write(channel));
    // What came behind the handshake waits within TLS, and nothing has been read since.
    take(*channel);
    auto reading = read(*channel);
    co_await std::move(reading);
}

// Tells the node. False: it is not who we have dialled, or it is ourselves.
bool PeerNetwork::State::begin(PeerChannel& channel)
{
    const auto& peer = channel.tls->peer();
    if (channel.cut || peer.id == tls_->own_id() || (channel.wanted && *channel.wanted != peer.id)) return false;
    channel.traffic = peer.seed                          ? TrafficClass::origin
                      : peer.zone == settings_.node.zone ? TrafficClass::zone
                                                         : TrafficClass::across;
    channel.open = true;
    channel.ends = Time::max();
    ++counters_.connections;
    if (channel.wanted) dialling_.erase(*channel.wanted);
    act([&](SwarmNode& node, SwarmTime time) { node.opened(channel.id, peer.id, channel.by_us(), peer.seed, time); });
    return true;
}

// At once. Its coroutines see it and end.
void PeerNetwork::State::cut(PeerChannel& channel)
{
    channel.cut = true;
    channel.stream->close();
    channel.down.give_up();
    channel.up.give_up();
    channel.reads.wake();
    channel.writes.wake();
    channel.drained.wake();
    arriving_.wake();
}

void PeerNetwork::State::cut_all()
{
    for (const auto& [id, channel] : channels_) cut(*channel);
}

void PeerNetwork::State::end(PeerChannel& channel)
{
    cut(channel);
    channel.arriving.reset();
    if (channel.wanted && !channel.open) missed_.push_back(*channel.wanted);
    if (channel.open) --counters_.connections;
    if (!channel.by_us()) {
        const auto of_address = of_address_.find(channel.address.bytes());
        if (--of_address->second == 0) of_address_.erase(of_address);
    }
    if (channel.open && !channel.closing) act([&](SwarmNode& node, SwarmTime time) { node.closed(channel.id, time); });
    channels_.erase(channel.id);
    if (channels_.empty()) emptied_.wake();
}

}  // namespace entrepot
