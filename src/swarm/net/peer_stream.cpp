#include "swarm/net/peer_stream.hpp"

#include "swarm/net/round_trip.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace entrepot {
namespace {

using Tcp = asio::ip::tcp;

constexpr int most_unsent = 128 * 1024;
constexpr int user_timeout_ms = 5'000;

std::unexpected<Error> lost(int number)
{
    return fail(Errc::connection_lost, std::generic_category().message(number));
}

class SocketStream final : public PeerStream {
public:
    explicit SocketStream(Tcp::socket socket) : socket_{std::move(socket)}
    {
        boost::system::error_code unimportant;
        socket_.native_non_blocking(true, unimportant);
        socket_.set_option(Tcp::no_delay{true}, unimportant);
        socket_.set_option(Tcp::socket::keep_alive{false}, unimportant);
        set(TCP_NOTSENT_LOWAT, most_unsent);
        set(TCP_USER_TIMEOUT, user_timeout_ms);
    }

    Result<std::optional<std::size_t>> read(std::span<std::byte> into) override
    {
        if (!socket_.is_open()) return lost(ECONNABORTED);
        const auto count = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
        if (count > 0) return static_cast<std::size_t>(count);
        if (count == 0) return fail(Errc::connection_lost, "the other side has ended");
        return nothing_or_lost();
    }

    Result<std::optional<std::size_t>> write(std::span<const std::byte> from) override
    {
        if (!socket_.is_open()) return lost(ECONNABORTED);
        const auto count = ::send(socket_.native_handle(), from.data(), from.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) return static_cast<std::size_t>(count);
        return nothing_or_lost();
    }

    std::size_t unacknowledged() const override
    {
        int bytes = 0;
        // native_handle() isn't const.
        auto& socket = const_cast<Tcp::socket&>(socket_);
        if (!socket.is_open() || ::ioctl(socket.native_handle(), SIOCOUTQ, &bytes) != 0) return 0;
        return static_cast<std::size_t>(std::max(bytes, 0));
    }

    std::optional<std::chrono::microseconds> round_trip() const override
    {
        auto& socket = const_cast<Tcp::socket&>(socket_);
        return socket.is_open() ? shortest_round_trip(socket.native_handle()) : std::nullopt;
    }

    asio::awaitable<void> readable() override { return wait(Tcp::socket::wait_read); }
    asio::awaitable<void> writable() override { return wait(Tcp::socket::wait_write); }

    void finish() override
    {
        boost::system::error_code unimportant;
        socket_.shutdown(Tcp::socket::shutdown_send, unimportant);
    }
    void close() override
    {
        boost::system::error_code unimportant;
        socket_.close(unimportant);
    }

private:
    static Result<std::optional<std::size_t>> nothing_or_lost()
    {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::optional<std::size_t>{};
        return lost(errno);
    }

    asio::awaitable<void> wait(Tcp::socket::wait_type what)
    {
        if (!socket_.is_open()) co_return;
        boost::system::error_code ignored;
        co_await socket_.async_wait(what, asio::redirect_error(asio::use_awaitable, ignored));
    }

    // A kernel that doesn't know an option works without.
    void set(int option, int value) noexcept
    {
        ::setsockopt(socket_.native_handle(), IPPROTO_TCP, option, &value, sizeof value);
    }

    Tcp::socket socket_;
};

}  // namespace

std::unique_ptr<PeerStream> make_socket_stream(Tcp::socket socket)
{
    return std::make_unique<SocketStream>(std::move(socket));
}

}  // namespace entrepot
