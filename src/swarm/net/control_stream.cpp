#include "swarm/net/control_stream.hpp"

#include "core/bytes.hpp"
#include "core/log.hpp"
#include "core/task.hpp"
#include "core/task_group.hpp"
#include "swarm/net/control_link.hpp"
#include "swarm/net/peer_handshake.hpp"
#include "swarm/net/wait_line.hpp"
#include "swarm/swarm_random.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace entrepot {

namespace {

using namespace std::chrono_literals;
using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;
using Tcp = asio::ip::tcp;

constexpr std::size_t most_unsent = std::size_t{1024} * 1024;
// A name that is being looked up may take as long as the system's resolver likes.
constexpr auto drain_patience = 1s;
constexpr std::uint32_t parts_of_pause = 1024;

// Nodes that have lost the same registry don't come back together.
std::uint64_t seed_of(const NodeId& node, Time time) noexcept
{
    std::uint64_t value = 0;
    std::memcpy(&value, node.bytes.data(), sizeof value);
    return value ^ static_cast<std::uint64_t>(time.time_since_epoch().count());
}

asio::ip::address plain(const asio::ip::address& address)
{
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

}  // namespace

// Its coroutines share it: one that waits for the system's resolver may be there longer than the ControlStream.
class ControlStream::State : public std::enable_shared_from_this<State> {
public:
    State(
        asio::any_io_executor loop,
        ControlStreamSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        ControlStreamOwner& owner,
        const Clock& clock
    )
        : loop_{loop},
          settings_{std::move(settings)},
          tls_{std::move(tls)},
          owner_{owner},
          clock_{clock},
          random_{seed_of(tls_->own_id(), clock.steady())},
          resolver_{loop},
          alarm_{loop},
          pausing_{loop},
          sends_{loop}
    {
    }

    void start();
    void send(const ControlFrame& frame);
    bool is_connected() const noexcept { return connected_; }
    void renew(std::shared_ptr<const PeerTlsContext> tls) { tls_ = std::move(tls); }
    asio::awaitable<void> stop();

private:
    using Self = std::shared_ptr<State>;
    using Link = std::shared_ptr<ControlLink>;

    Time now() const noexcept { return clock_.steady(); }
    asio::awaitable<void> run(Self self);
    asio::awaitable<void> rest(Duration time);
    Task<> connect();
    Task<std::vector<Tcp::endpoint>> find();
    Task<> connect_to(Tcp::endpoint server, LocalBinding binding);
    Task<> serve();
    void end(const Error& why);
    void say_bye(ByeReason reason, const std::string& text);
    bool heard(const ControlFrame& frame);
    asio::awaitable<void> write(Self self, Link link);
    asio::awaitable<void> keep_time(Self self);
    Time due() const noexcept;
    void time_is_up();
    void lose(std::string why);

    asio::any_io_executor loop_;
    const ControlStreamSettings settings_;
    std::shared_ptr<const PeerTlsContext> tls_;
    ControlStreamOwner& owner_;
    const Clock& clock_;
    SwarmRandom random_;

    Tcp::resolver resolver_;
    Tcp::socket* dialling_ = nullptr;  // while it connects
    Link link_;                        // from the handshake on
    asio::ip::address server_;
    bool connected_ = false;    // the owner knows of it
    Time until_ = Time::max();  // of an attempt
    Time silent_since_{};       // or since the PING, where one has been sent
    bool pinged_ = false;
    std::string why_;       // the stream has ended, where we have ended it
    bool failing_ = false;  // the log knows that there is no stream to be had

    WaitLine alarm_;
    WaitLine pausing_;
    WaitLine sends_;
    bool stopping_ = false;
    ControlLink::Scratch scratch_;
    TaskGroup tasks_;
};

void ControlStream::State::start()
{
    tasks_.spawn(loop_, run(shared_from_this()));
    tasks_.spawn(loop_, keep_time(shared_from_this()));
}

asio::awaitable<void> ControlStream::State::stop()
{
    stopping_ = true;
    resolver_.cancel();
    boost::system::error_code unimportant;
    if (dialling_ != nullptr) dialling_->close(unimportant);
    if (connected_) say_bye(ByeReason::shutdown, {});
    if (link_) link_->close();
    alarm_.wake();
    pausing_.wake();
    sends_.wake();
    co_await tasks_.drain(drain_patience);
}

asio::awaitable<void> ControlStream::State::run(Self /*self*/)
{
    auto pause = settings_.first_pause;
    while (!stopping_) {
        auto connecting = connect();
        const auto connected = co_await std::move(connecting);
        // Nothing of the outside is touched any more: after a long look-up it may have gone.
        if (stopping_) co_return;
        until_ = Time::max();
        const auto began = now();
        if (connected) {
            failing_ = false;
            auto serving = serve();
            const auto ended = co_await std::move(serving);
            end(ended.error());
        } else {
            const bool known = std::exchange(failing_, true);
            log::failure(
                known ? log::Level::debug : log::Level::warning, "connecting to the registry", connected.error()
            );
        }
        // Who ends streams at once is not asked more often for it.
        if (now() - began > settings_.longest_pause) pause = settings_.first_pause;
        auto resting = rest(pause - pause / 2 * random_.below(parts_of_pause) / parts_of_pause);
        co_await std::move(resting);
        pause = std::min(2 * pause, settings_.longest_pause);
    }
}

asio::awaitable<void> ControlStream::State::rest(Duration time)
{
    const auto until = now() + time;
    while (!stopping_ && now() < until) co_await pausing_.wait(until);
}

// ---- an attempt

Task<> ControlStream::State::connect()
{
    CO_TRY(const auto binding, LocalBinding::of(settings_.binding));
    auto finding = find();
    CO_TRY(const auto servers, co_await std::move(finding));
    if (stopping_) co_return fail(Errc::cancelled, "not wanted any more");
    const auto until = now() + settings_.connect_time;
    Result<> tried = fail(Errc::unavailable, "the name has no address: " + settings_.host);
    for (std::size_t at = 0; at < servers.size() && !stopping_; ++at) {
        // One that doesn't answer leaves the others their share of the time.
        until_ = now() + std::max((until - now()) / static_cast<int>(servers.size() - at), Duration{});
        alarm_.wake();
        auto trying = connect_to(servers[at], binding);
        tried = co_await std::move(trying);
        if (tried) break;
        link_.reset();
        if (until_ == Time::max()) tried = fail(Errc::request_timeout, "the registry takes too long to answer");
    }
    co_return tried;
}

// In no order: each of several instances is as good.
Task<std::vector<Tcp::endpoint>> ControlStream::State::find()
{
    boost::system::error_code error;
    std::vector<Tcp::endpoint> servers;
    const auto address = asio::ip::make_address(settings_.host, error);
    if (!error) {
        servers.emplace_back(address, settings_.port);
        co_return servers;
    }
    auto resolving = resolver_.async_resolve(
        settings_.host, std::to_string(settings_.port), asio::redirect_error(asio::use_awaitable, error)
    );
    const auto found = co_await std::move(resolving);
    if (error) co_return fail(Errc::unavailable, "the name can't be looked up: " + settings_.host, error.message());
    for (const auto& entry : found) servers.push_back(entry.endpoint());
    for (std::size_t left = servers.size(); left > 1; --left)
        std::swap(
            servers[left - 1], servers[static_cast<std::size_t>(random_.below(static_cast<std::uint32_t>(left)))]
        );
    co_return servers;
}

Task<> ControlStream::State::connect_to(Tcp::endpoint server, LocalBinding binding)
{
    Tcp::socket socket{loop_};
    dialling_ = &socket;
    auto reaching = reach(socket, server, binding);
    const auto reached = co_await std::move(reaching);
    dialling_ = nullptr;
    CO_CHECK(reached);
    if (stopping_) co_return fail(Errc::cancelled, "not wanted any more");
    auto tls = std::make_unique<PeerTls>(tls_, true, clock_.now());
    link_ = std::make_shared<ControlLink>(make_socket_stream(std::move(socket)), std::move(tls));
    auto shaking = link_->shake_hands(scratch_);
    CO_CHECK(co_await std::move(shaking));
    if (!link_->peer().seed) co_return fail(Errc::unauthorized, "the other end is no registry by its certificate");
    server_ = plain(server.address());
    co_return Result<>{};
}

// ---- a stream

// Until it ends: why.
Task<> ControlStream::State::serve()
{
    const auto link = link_;
    connected_ = true;
    why_.clear();
    silent_since_ = now();
    pinged_ = false;
    alarm_.wake();
    tasks_.spawn(loop_, write(shared_from_this(), link));
    owner_.connected(server_);
    const ControlLink::Taker each = [this](const ControlFrame& frame) { return heard(frame); };
    CO_CHECK(link->take(scratch_, each));
    bool more = false;
    while (true) {
        if (more)
            co_await asio::post(loop_, asio::use_awaitable);
        else
            co_await link->readable();
        CO_TRY(more, link->read(scratch_, each));
        silent_since_ = now();
        pinged_ = false;
        // Of TLS itself, such as an answer to a change of keys.
        if (link->unsent() > 0) sends_.wake();
    }
}

void ControlStream::State::end(const Error& why)
{
    if (why.code() == Errc::bad_request) say_bye(ByeReason::protocol, why.message());
    connected_ = false;
    link_->close();
    link_.reset();
    sends_.wake();
    if (stopping_) return;
    if (why_.empty()) why_ = why.detail().empty() ? why.message() : why.message() + ": " + why.detail();
    owner_.lost(why_);
}

// What the socket doesn't take at once is not worth waiting for.
void ControlStream::State::say_bye(ByeReason reason, const std::string& text)
{
    std::string bytes;
    append_frame(bytes, ByeFrame{.reason = reason, .text = wire_text(text, WireLimits::text)});
    link_->send(bytes);
    link_->finish();
    static_cast<void>(link_->flush());
}

// Whether the stream goes on.
bool ControlStream::State::heard(const ControlFrame& frame)
{
    if (const auto* const ping = std::get_if<PingFrame>(&frame)) {
        send(PongFrame{.token = ping->token});
    } else if (const auto* const bye = std::get_if<ByeFrame>(&frame)) {
        lose(fmt::format("the registry has ended it, reason {}: {}", std::to_underlying(bye->reason), bye->text));
    } else if (!std::holds_alternative<PongFrame>(frame)) {
        owner_.received(frame);
    }
    return !stopping_ && link_ && !link_->closed();
}

void ControlStream::State::send(const ControlFrame& frame)
{
    if (!connected_ || link_->closed()) return;
    std::string bytes;
    append_frame(bytes, frame);
    if (link_->unsent() + bytes.size() > most_unsent) return lose("the registry takes nothing");
    link_->send(bytes);
    sends_.wake();
}

// Its coroutine sees it, and tells the owner in a turn of its own.
void ControlStream::State::lose(std::string why)
{
    why_ = std::move(why);
    link_->close();
    sends_.wake();
}

asio::awaitable<void> ControlStream::State::write(Self /*self*/, Link link)
{
    while (!link->closed()) {
        const auto flushed = link->flush();
        if (!flushed)
            link->close();
        else if (*flushed)
            co_await sends_.wait();
        else
            co_await link->writable();
    }
}

// ---- time

asio::awaitable<void> ControlStream::State::keep_time(Self /*self*/)
{
    while (!stopping_) {
        if (now() < due())
            co_await alarm_.wait(due());
        else
            time_is_up();
    }
}

Time ControlStream::State::due() const noexcept
{
    if (until_ != Time::max()) return until_;
    return connected_ && !link_->closed() ? silent_since_ + settings_.ping_after : Time::max();
}

void ControlStream::State::time_is_up()
{
    if (until_ != Time::max()) {
        until_ = Time::max();
        boost::system::error_code unimportant;
        if (dialling_ != nullptr) dialling_->close(unimportant);
        if (link_) link_->close();
    } else if (pinged_) {
        lose("the registry is silent");
    } else {
        pinged_ = true;
        silent_since_ = now();
        send(PingFrame{.token = random_.next()});
    }
}

// ---- the outside

ControlStream::ControlStream(
    asio::any_io_executor loop,
    ControlStreamSettings settings,
    std::shared_ptr<const PeerTlsContext> tls,
    ControlStreamOwner& owner,
    const Clock& clock
)
    : state_{std::make_shared<State>(std::move(loop), std::move(settings), std::move(tls), owner, clock)}
{
}

ControlStream::~ControlStream() = default;

void ControlStream::start()
{
    state_->start();
}

void ControlStream::send(const ControlFrame& frame)
{
    state_->send(frame);
}

bool ControlStream::is_connected() const noexcept
{
    return state_->is_connected();
}

void ControlStream::renew(std::shared_ptr<const PeerTlsContext> tls)
{
    state_->renew(std::move(tls));
}

asio::awaitable<void> ControlStream::stop()
{
    return state_->stop();
}

}  // namespace entrepot
