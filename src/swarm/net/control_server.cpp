#include "swarm/net/control_server.hpp"

#include "core/address.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "swarm/net/control_link.hpp"
#include "swarm/net/peer_handshake.hpp"
#include "swarm/net/peer_listener.hpp"
#include "swarm/net/wait_line.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;
using Tcp = asio::ip::tcp;

// For what was sent before the end.
constexpr auto farewell = 1s;
// How many streams are written to before others have their turn.
constexpr std::size_t flushed_at_once = 64;
constexpr auto drain_patience = 5s;

}  // namespace

class ControlServer::State {
public:
    State(
        asio::any_io_executor loop,
        ControlServerSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        ControlServerOwner& owner,
        const Clock& clock
    )
        : loop_{loop},
          settings_{std::move(settings)},
          tls_{std::move(tls)},
          owner_{owner},
          clock_{clock},
          listener_{loop},
          alarm_{loop},
          sends_{loop},
          emptied_{loop}
    {
    }

    Result<> start();
    asio::awaitable<void> stop();
    void send(ControlId stream, std::string_view bytes);
    void close(ControlId stream);

    std::uint16_t port() const noexcept { return listener_.port(); }
    std::size_t streams() const noexcept { return open_; }
    const ControlServerCounters& counters() const noexcept { return counters_; }
    void renew(std::shared_ptr<const PeerTlsContext> tls) { tls_ = std::move(tls); }

private:
    enum class Stage : std::uint8_t {
        shaking,  // hands
        open,
        broken,   // it says what is no frame, and the owner was told
        closing,  // the owner has closed it, or heard that it has ended
    };
    struct Channel {
        Channel(ControlId number, Address host, std::unique_ptr<PeerStream> stream, std::unique_ptr<PeerTls> tls)
            : id{number}, address{host}, link{std::move(stream), std::move(tls)}
        {
        }

        const ControlId id;
        const Address address;
        std::uint16_t port = 0;
        ControlLink link;
        Time ends = Time::max();  // when a handshake or a farewell has taken too long
        Stage stage = Stage::shaking;
        bool waits = false;  // in `waiting_`, or for the socket to take more
    };
    using ChannelPtr = std::shared_ptr<Channel>;
    // Sees to it that a channel's end is noticed, however its coroutine ends.
    struct Leaving {
        State& state;
        Channel& channel;
        ~Leaving() { state.end(channel); }
    };

    Time now() const noexcept { return clock_.steady(); }
    void admit(Tcp::socket socket);
    asio::awaitable<void> serve(ChannelPtr channel);
    void begin(Channel& channel);
    void end(Channel& channel);
    void expire(Channel& channel, std::chrono::steady_clock::duration time);
    asio::awaitable<void> keep_time();
    void needs_flush(Channel& channel);
    asio::awaitable<void> flush_all();
    void flush(const ChannelPtr& channel);
    asio::awaitable<void> flush_slowly(ChannelPtr channel);

    asio::any_io_executor loop_;
    const ControlServerSettings settings_;
    std::shared_ptr<const PeerTlsContext> tls_;
    ControlServerOwner& owner_;
    const Clock& clock_;
    ControlServerCounters counters_;
    PeerListener listener_;

    std::unordered_map<ControlId, ChannelPtr> channels_;
    std::map<std::array<std::uint8_t, 16>, std::size_t> of_address_;
    ControlId last_ = 0;
    std::size_t open_ = 0;
    std::size_t handshakes_ = 0;

    // One timer and one coroutine serve all streams: an idle one has no more than its socket, TLS and who waits to
    // read.
    std::set<std::pair<Time, ControlId>> deadlines_;
    WaitLine alarm_;
    std::deque<ControlId> waiting_;  // that have something to send
    WaitLine sends_;
    WaitLine emptied_;
    bool stopping_ = false;
    bool stopped_ = false;
    ControlLink::Scratch scratch_;
    TaskGroup tasks_;
};

Result<> ControlServer::State::start()
{
    TRY(const auto binding, LocalBinding::of(settings_.binding));
    CHECK(listener_.open(binding, settings_.port));
    listener_.accept(tasks_, [this](Tcp::socket socket) { admit(std::move(socket)); });
    tasks_.spawn(loop_, keep_time());
    tasks_.spawn(loop_, flush_all());
    return {};
}

asio::awaitable<void> ControlServer::State::stop()
{
    stopping_ = true;
    listener_.close();
    for (const auto& [id, channel] : channels_) {
        if (channel->stage == Stage::shaking)
            channel->link.close();
        else
            close(id);
    }
    const auto until = now() + farewell;
    while (!channels_.empty() && now() < until) co_await emptied_.wait(until);
    stopped_ = true;
    for (const auto& [id, channel] : channels_) channel->link.close();
    alarm_.wake();
    sends_.wake();
    co_await tasks_.drain(drain_patience);
}

// ---- streams that begin and end

void ControlServer::State::admit(Tcp::socket socket)
{
    boost::system::error_code error;
    const auto peer = socket.remote_endpoint(error);
    if (error || stopping_) return;
    const auto address = Address::of(*peer.data());
    const auto known = of_address_.find(address.bytes());
    if (channels_.size() >= settings_.most_streams || handshakes_ >= settings_.most_handshakes ||
        (known != of_address_.end() && known->second >= settings_.most_of_address)) {
        ++counters_.refused;
        return;
    }
    auto tls = std::make_unique<PeerTls>(tls_, false, clock_.now());
    auto stream = make_socket_stream(std::move(socket));
    const auto channel = std::make_shared<Channel>(++last_, address, std::move(stream), std::move(tls));
    channel->port = peer.port();
    channels_.emplace(channel->id, channel);
    ++of_address_[address.bytes()];
    ++handshakes_;
    expire(*channel, settings_.handshake_time);
    tasks_.spawn(loop_, serve(channel));
}

asio::awaitable<void> ControlServer::State::serve(ChannelPtr held)
{
    auto& channel = *held;
    const Leaving leaving{*this, channel};
    auto shaking = channel.link.shake_hands(scratch_);
    const auto agreed = co_await std::move(shaking);
    if (!agreed) {
        log_refusal(channel.address, agreed.error());
        co_return;
    }
    if (stopping_ || channel.link.closed()) co_return;
    begin(channel);
    const ControlLink::Taker each = [this, &channel](const ControlFrame& frame) {
        if (channel.stage == Stage::open) owner_.received(channel.id, frame);
        return channel.stage == Stage::open && !channel.link.closed();
    };
    Result<bool> more = true;
    // What came behind the handshake; nothing has been read since.
    if (auto taken = channel.link.take(scratch_, each); !taken) more = std::unexpected{std::move(taken).error()};
    while (!channel.link.closed()) {
        if (!more && (more.error().code() != Errc::bad_request || channel.stage != Stage::open)) co_return;
        if (!more) {
            channel.stage = Stage::broken;
            owner_.broken(channel.id, more.error().message());
        }
        // Of TLS itself, such as an answer to a change of keys.
        if (channel.link.unsent() > 0) needs_flush(channel);
        if (more && *more)
            // Others have their turn.
            co_await asio::post(loop_, asio::use_awaitable);
        else
            co_await channel.link.readable();
        more = channel.stage == Stage::open ? channel.link.read(scratch_, each) : channel.link.discard(scratch_);
    }
}

void ControlServer::State::begin(Channel& channel)
{
    deadlines_.erase({channel.ends, channel.id});
    channel.ends = Time::max();
    channel.stage = Stage::open;
    --handshakes_;
    ++open_;
    owner_.opened(channel.id, channel.link.peer(), {.address = channel.address.bytes(), .port = channel.port});
}

void ControlServer::State::end(Channel& channel)
{
    channel.link.close();
    deadlines_.erase({channel.ends, channel.id});
    const auto of_address = of_address_.find(channel.address.bytes());
    if (--of_address->second == 0) of_address_.erase(of_address);
    const auto stage = std::exchange(channel.stage, Stage::closing);
    if (stage == Stage::shaking) {
        --handshakes_;
        ++counters_.handshakes_failed;
    } else if (stage != Stage::closing) {
        --open_;
        owner_.closed(channel.id);
    }
    channels_.erase(channel.id);
    if (channels_.empty()) emptied_.wake();
}

void ControlServer::State::close(ControlId stream)
{
    const auto found = channels_.find(stream);
    if (found == channels_.end()) return;
    auto& channel = *found->second;
    if (channel.stage != Stage::open && channel.stage != Stage::broken) return;
    channel.stage = Stage::closing;
    --open_;
    expire(channel, farewell);
    channel.link.finish();
    needs_flush(channel);
}

void ControlServer::State::expire(Channel& channel, std::chrono::steady_clock::duration time)
{
    channel.ends = now() + time;
    if (deadlines_.empty() || channel.ends < deadlines_.begin()->first) alarm_.wake();
    deadlines_.emplace(channel.ends, channel.id);
}

asio::awaitable<void> ControlServer::State::keep_time()
{
    while (!stopped_) {
        const auto next = deadlines_.empty() ? Time::max() : deadlines_.begin()->first;
        if (now() < next) {
            co_await alarm_.wait(next);
            continue;
        }
        const auto found = channels_.find(deadlines_.begin()->second);
        deadlines_.erase(deadlines_.begin());
        if (found == channels_.end()) continue;
        if (found->second->stage == Stage::shaking) ++counters_.cut;
        found->second->link.close();
    }
}

// ---- what is sent

void ControlServer::State::send(ControlId stream, std::string_view bytes)
{
    const auto found = channels_.find(stream);
    if (found == channels_.end()) return;
    auto& channel = *found->second;
    if (channel.link.closed() || (channel.stage != Stage::open && channel.stage != Stage::broken)) return;
    if (channel.link.unsent() + bytes.size() > settings_.most_unsent) {
        // Its coroutine sees it, and tells the owner in a turn of its own: it is the owner who is asking.
        ++counters_.cut;
        channel.link.close();
        return;
    }
    channel.link.send(bytes);
    needs_flush(channel);
}

// Not at once, so that all that is sent in one turn of the loop leaves in one piece.
void ControlServer::State::needs_flush(Channel& channel)
{
    if (std::exchange(channel.waits, true)) return;
    if (waiting_.empty()) sends_.wake();
    waiting_.push_back(channel.id);
}

asio::awaitable<void> ControlServer::State::flush_all()
{
    while (!stopped_) {
        if (waiting_.empty()) {
            co_await sends_.wait();
            continue;
        }
        for (std::size_t count = 0; count < flushed_at_once && !waiting_.empty(); ++count) {
            const auto found = channels_.find(waiting_.front());
            waiting_.pop_front();
            if (found != channels_.end()) flush(found->second);
        }
        // Others have their turn.
        co_await asio::post(loop_, asio::use_awaitable);
    }
}

void ControlServer::State::flush(const ChannelPtr& channel)
{
    const auto flushed = channel->link.flush();
    channel->waits = flushed && !*flushed;
    if (!flushed) channel->link.close();
    if (channel->waits) tasks_.spawn(loop_, flush_slowly(channel));
}

asio::awaitable<void> ControlServer::State::flush_slowly(ChannelPtr channel)
{
    while (channel->waits && !channel->link.closed()) {
        co_await channel->link.writable();
        const auto flushed = channel->link.flush();
        if (!flushed) channel->link.close();
        channel->waits = flushed && !*flushed;
    }
}

// ---- the outside

ControlServer::ControlServer(
    asio::any_io_executor loop,
    ControlServerSettings settings,
    std::shared_ptr<const PeerTlsContext> tls,
    ControlServerOwner& owner,
    const Clock& clock
)
    : state_{std::make_unique<State>(std::move(loop), std::move(settings), std::move(tls), owner, clock)}
{
}

ControlServer::~ControlServer() = default;

Result<> ControlServer::start()
{
    return state_->start();
}

std::uint16_t ControlServer::port() const noexcept
{
    return state_->port();
}

void ControlServer::send(ControlId stream, std::string bytes)
{
    state_->send(stream, bytes);
}

void ControlServer::close(ControlId stream)
{
    state_->close(stream);
}

void ControlServer::renew(std::shared_ptr<const PeerTlsContext> tls)
{
    state_->renew(std::move(tls));
}

std::size_t ControlServer::streams() const noexcept
{
    return state_->streams();
}

const ControlServerCounters& ControlServer::counters() const noexcept
{
    return state_->counters();
}

asio::awaitable<void> ControlServer::stop()
{
    return state_->stop();
}

}  // namespace entrepot
