#include "core/bytes.hpp"
#include "core/log.hpp"
#include "swarm/net/peer_network_state.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr int backlog = 1024;
// No descriptors or no memory: trying again at once would only burn time.
constexpr auto accept_pause = 100ms;
constexpr std::size_t handshake_read = 16 * 1024;

asio::ip::tcp::endpoint endpoint_of(const PeerEndpoint& peer)
{
    const asio::ip::address_v6 address{peer.address};
    if (peer.is_v4()) return {asio::ip::make_address_v4(asio::ip::v4_mapped, address), peer.port};
    return {address, peer.port};
}

}  // namespace

Result<> PeerNetwork::State::listen()
{
    error_code error;
    port_ = settings_.port;
    for (const auto& address : binding_.addresses()) {
        const Tcp::endpoint endpoint{address, port_};
        auto acceptor = std::make_unique<Tcp::acceptor>(loop_);
        acceptor->open(endpoint.protocol(), error);
        if (!error) acceptor->set_option(Tcp::acceptor::reuse_address{true}, error);
        if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only{!address.is_unspecified()}, error);
        if (!error) binding_.restrict(acceptor->native_handle());
        if (!error) acceptor->bind(endpoint, error);
        if (!error) acceptor->listen(backlog, error);
        if (error) return fail(Errc::unavailable, "can't listen for nodes on " + address.to_string(), error.message());
        port_ = acceptor->local_endpoint(error).port();
        acceptors_.push_back(std::move(acceptor));
    }
    return {};
}

asio::awaitable<void> PeerNetwork::State::accept(Tcp::acceptor& acceptor)
{
    WaitLine pause{loop_};
    while (!stopping_) {
        error_code error;
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (stopping_) co_return;
        if (error)
            co_await pause.wait(now() + accept_pause);
        else
            admit(std::move(socket));
    }
}

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
    if (error) return;
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
        auto reaching = reach(socket, endpoint_of(peer.endpoint));
        reached = co_await std::move(reaching);
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

asio::awaitable<bool> PeerNetwork::State::reach(Tcp::socket& socket, Tcp::endpoint peer)
{
    error_code error;
    socket.open(peer.protocol(), error);
    if (error || !binding_.bind_for(socket, peer)) co_return false;
    co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
    co_return !error;
}

asio::awaitable<void> PeerNetwork::State::serve(Channel channel)
{
    const Leaving leaving{*this, *channel};
    auto shaking = shake_hands(*channel);
    const bool agreed = co_await std::move(shaking);
    --handshakes_;
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

// Sends what TLS has made. False: the connection is lost.
asio::awaitable<bool> PeerNetwork::State::push(PeerChannel& channel)
{
    auto& output = channel.tls->output();
    while (!output.empty() && !channel.cut) {
        const auto count = channel.stream->write(as_bytes(output));
        if (!count) co_return false;
        if (*count)
            output.erase(0, **count);
        else
            co_await channel.stream->writable();
    }
    co_return !channel.cut;
}

// Returns true in the same turn of the loop in which TLS has read the last of the handshake.
asio::awaitable<bool> PeerNetwork::State::shake_hands(PeerChannel& channel)
{
    while (!channel.cut) {
        const auto done = channel.tls->shake_hands();
        if (done && *done) co_return true;
        if (!done) {
            log::debug(
                "a node is not let in",
                {{"address", channel.address.text()}, {"why", done.error().message()}, {"detail", done.error().detail()}
                }
            );
        }
        const bool pushed = co_await push(channel);
        if (!done || !pushed) co_return false;
        const auto count = channel.stream->read(std::span{raw_}.first(handshake_read));
        if (!count) co_return false;
        if (*count)
            channel.tls->feed(std::span{raw_}.first(**count));
        else
            co_await channel.stream->readable();
    }
    co_return false;
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
