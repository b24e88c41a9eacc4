#include "http/listener.hpp"

#include "core/log.hpp"
#include "http/connection.hpp"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

constexpr int backlog = 4096;
constexpr auto accept_pause = 100ms;
constexpr int most_accepted_at_once = 64;

class SocketAddress {
public:
    explicit SocketAddress(const sockaddr& from) noexcept
    {
        length_ = from.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
        std::memcpy(&storage_, &from, length_);
    }

    int family() const noexcept { return storage_.ss_family; }
    const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t length() const noexcept { return length_; }
    void port(std::uint16_t number) noexcept
    {
        // Both families hold the port at the same place.
        reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(number);
    }

private:
    sockaddr_storage storage_{};
    socklen_t length_ = 0;
};

std::vector<SocketAddress> addresses_of_interface(const std::string& name)
{
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) throw std::system_error{errno, std::generic_category(), "getifaddrs"};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, ::freeifaddrs};
    std::vector<SocketAddress> found;
    for (const auto* entry = list; entry; entry = entry->ifa_next) {
        if (name != entry->ifa_name || !entry->ifa_addr) continue;
        const auto family = entry->ifa_addr->sa_family;
        if (family == AF_INET || family == AF_INET6) found.emplace_back(*entry->ifa_addr);
    }
    return found;
}

std::vector<SocketAddress> addresses_of(const std::string& text)
{
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
    const auto bare = bracketed ? text.substr(1, text.size() - 2) : text;
    if (::inet_pton(AF_INET, bare.c_str(), &v4.sin_addr) == 1) {
        return {SocketAddress{reinterpret_cast<const sockaddr&>(v4)}};
    }
    if (::inet_pton(AF_INET6, bare.c_str(), &v6.sin6_addr) == 1) {
        return {SocketAddress{reinterpret_cast<const sockaddr&>(v6)}};
    }
    auto found = addresses_of_interface(text);
    if (found.empty()) throw std::runtime_error{"neither an address nor an interface with one: " + text};
    return found;
}

class Socket {
public:
    explicit Socket(int family) : descriptor_{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)}
    {
        if (descriptor_ < 0) throw std::system_error{errno, std::generic_category(), "socket"};
    }
    ~Socket()
    {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    void set(int level, int option) const
    {
        const int on = 1;
        if (::setsockopt(descriptor_, level, option, &on, sizeof on) != 0) {
            throw std::system_error{errno, std::generic_category(), "setsockopt"};
        }
    }
    void bind(const SocketAddress& address, const std::string& what) const
    {
        if (::bind(descriptor_, address.data(), address.length()) != 0) {
            throw std::system_error{errno, std::generic_category(), "can't listen on " + what};
        }
    }
    int get() const noexcept { return descriptor_; }
    int release() noexcept { return std::exchange(descriptor_, -1); }

private:
    int descriptor_;
};

std::uint16_t port_of(int descriptor)
{
    sockaddr_storage bound{};
    socklen_t length = sizeof bound;
    if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &length) != 0) {
        throw std::system_error{errno, std::generic_category(), "getsockname"};
    }
    return ntohs(reinterpret_cast<const sockaddr_in*>(&bound)->sin_port);
}

// SO_REUSEPORT would let a second process share the port without a word, so a socket without it asks first.
void require_free(const SocketAddress& address, const std::string& what)
{
    const Socket probe{address.family()};
    probe.set(SOL_SOCKET, SO_REUSEADDR);
    probe.bind(address, what);
}

int open_socket(const SocketAddress& address, const std::string& what)
{
    Socket socket{address.family()};
    socket.set(SOL_SOCKET, SO_REUSEADDR);
    socket.set(SOL_SOCKET, SO_REUSEPORT);
    socket.set(IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
    socket.bind(address, what);
    if (::listen(socket.get(), backlog) != 0) throw std::system_error{errno, std::generic_category(), "listen"};
    return socket.release();
}

void answer_busy(int descriptor) noexcept
{
    static constexpr std::string_view text =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    [[maybe_unused]] const auto sent = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

std::vector<std::vector<int>> open_listener(Endpoint& endpoint, unsigned loops)
{
    std::vector<std::vector<int>> sockets(loops);
    endpoint.port = endpoint.options.port;
    try {
        for (auto address : addresses_of(endpoint.options.address)) {
            address.port(endpoint.port);
            const auto what = endpoint.options.address + " port " + std::to_string(endpoint.port);
            if (endpoint.port != 0) require_free(address, what);
            for (auto& of_loop : sockets) {
                of_loop.push_back(open_socket(address, what));
                if (endpoint.port == 0) endpoint.port = port_of(of_loop.back());
                address.port(endpoint.port);
            }
        }
    } catch (...) {
        for (const auto& of_loop : sockets) {
            for (const int descriptor : of_loop) ::close(descriptor);
        }
        throw;
    }
    return sockets;
}

Acceptor::Acceptor(Loop& loop, Endpoint& endpoint, int descriptor)
    : loop_{loop}, endpoint_{endpoint}, descriptor_{loop.context(), descriptor}, timer_{loop.context()}
{
}

void Acceptor::start()
{
    await_connection();
}

void Acceptor::close()
{
    if (!descriptor_.is_open()) return;
    accept_waiting();
    timer_.cancel();
    descriptor_.close();
}

void Acceptor::await_connection()
{
    if (!descriptor_.is_open()) return;
    descriptor_.async_wait(asio::posix::descriptor_base::wait_read, [this](boost::system::error_code error) {
        if (error) return;
        accept_waiting();
        if (timer_.expiry() <= std::chrono::steady_clock::now()) await_connection();
    });
}

void Acceptor::accept_waiting()
{
    for (int i = 0; i < most_accepted_at_once; ++i) {
        sockaddr_storage from{};
        socklen_t length = sizeof from;
        auto* peer = reinterpret_cast<sockaddr*>(&from);
        const int descriptor = ::accept4(descriptor_.native_handle(), peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            admit(descriptor, Address::of(*peer));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            return pause();
        } else if (errno == EAGAIN) {
            return;
        }
        // Anything else is the failure of the one connection that was up next.
    }
}

void Acceptor::admit(int descriptor, const Address& peer)
{
    auto& admission = loop_.shared().admission;
    if (!admission.enter(peer)) {
        loop_.counters().refused.add();
        if (!endpoint_.tls) answer_busy(descriptor);
        ::close(descriptor);
        return;
    }
    Connection::Hold connection;
    try {
        connection = new Connection{loop_, endpoint_, descriptor, peer};
    } catch (const std::exception& exception) {
        log::warning("a connection could not be taken", {{"error", exception.what()}});
        admission.leave(peer);
        return;
    }
    connection->proceed();
}

// No descriptors or no memory: trying again at once would only burn time.
void Acceptor::pause()
{
    timer_.expires_after(accept_pause);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) await_connection();
    });
}

}  // namespace entrepot::http
