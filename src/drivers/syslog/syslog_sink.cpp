#include "drivers/syslog/syslog_sink.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entrepot {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

std::unexpected<Error> syslog_failure(std::string_view doing, std::string_view why)
{
    return fail(Errc::unavailable, "the syslog server can't be reached", std::string{doing} + ": " + std::string{why});
}

std::unexpected<Error> socket_failure(std::string_view doing, int number = errno)
{
    return syslog_failure(doing, std::generic_category().message(number));
}

std::string tls_words()
{
    const auto code = ERR_get_error();
    if (code == 0) return "the connection was closed";
    std::string words(256, '\0');
    ERR_error_string_n(code, words.data(), words.size());
    words.resize(words.find('\0'));
    ERR_clear_error();
    return words;
}

Result<> wait_for(int socket, short events, Deadline until)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd entry{.fd = socket, .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready < 0 && errno != EINTR) return socket_failure("poll");
    if (ready == 0) return syslog_failure("waiting", "that took too long");
    return {};
}

// OpenSSL writes without MSG_NOSIGNAL; the thread that sends does nothing else.
void block_broken_pipes()
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

struct AddressList {
    addrinfo* first = nullptr;
    AddressList() = default;
    AddressList(const AddressList&) = delete;
    AddressList& operator=(const AddressList&) = delete;
    ~AddressList()
    {
        if (first != nullptr) ::freeaddrinfo(first);
    }
};

Result<int> connected_to(const addrinfo& address, Deadline until)
{
    const int socket =
        ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
    if (socket < 0) return socket_failure("socket");
    Result<> done;
    if (::connect(socket, address.ai_addr, address.ai_addrlen) != 0) {
        done = errno == EINPROGRESS ? wait_for(socket, POLLOUT, until) : socket_failure("connect");
        int error = 0;
        socklen_t size = sizeof error;
        if (done && ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error != 0) {
            done = socket_failure("connect", error);
        }
    }
    if (done) return socket;
    ::close(socket);
    return std::unexpected{std::move(done).error()};
}

}  // namespace

class SyslogSink::Connection {
public:
    Connection(int socket, SSL* tls) : socket_{socket}, tls_{tls} {}
    ~Connection()
    {
        if (tls_ != nullptr) SSL_free(tls_);
        ::close(socket_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    static Result<std::unique_ptr<Connection>> open(const Target& target, SSL_CTX* context, Deadline until)
    {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        hints.ai_flags = AI_NUMERICSERV;
        AddressList list;
        if (const int error = ::getaddrinfo(target.host.c_str(), target.port.c_str(), &hints, &list.first);
            error != 0) {
            return syslog_failure("looking up " + target.host, ::gai_strerror(error));
        }
        Result<int> socket = syslog_failure("connect", "there is no address");
        for (const auto* address = list.first; address != nullptr && !socket; address = address->ai_next) {
            socket = connected_to(*address, until);
        }
        if (!socket) return std::unexpected{std::move(socket).error()};
        SSL* const tls = context != nullptr ? SSL_new(context) : nullptr;
        auto connection = std::make_unique<Connection>(*socket, tls);
        if (context != nullptr) CHECK(connection->shake_hands(target.host, until));
        return connection;
    }

    Result<> write(std::string_view bytes, Deadline until)
    {
        while (!bytes.empty()) {
            TRY(const auto count, tls_ != nullptr ? write_tls(bytes, until) : write_plain(bytes, until));
            bytes.remove_prefix(count);
        }
        return {};
    }

    // Until the other side has acknowledged every byte.
    Result<> settle(Deadline until)
    {
        for (auto pause = std::chrono::milliseconds{1};; pause = std::min(2 * pause, std::chrono::milliseconds{50})) {
            CHECK(look_for_end());
            int unacknowledged = 0;
            if (::ioctl(socket_, SIOCOUTQ, &unacknowledged) != 0) return socket_failure("SIOCOUTQ");
            if (unacknowledged == 0) return {};
            if (std::chrono::steady_clock::now() > until) return syslog_failure("send", "nobody takes the messages");
            std::this_thread::sleep_for(pause);
        }
    }

    // A server that went away has said so, unless the network did.
    Result<> look_for_end()
    {
        pollfd entry{.fd = socket_, .events = POLLRDHUP, .revents = 0};
        if (::poll(&entry, 1, 0) < 0 && errno != EINTR) return socket_failure("poll");
        if ((entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
            return syslog_failure("send", "the server closed the connection");
        }
        return {};
    }

private:
    Result<> shake_hands(const std::string& host, Deadline until)
    {
        if (tls_ == nullptr) return syslog_failure("TLS", tls_words());
        X509_VERIFY_PARAM* const checks = SSL_get0_param(tls_);
        // An address must be in the certificate as an address.
        if (X509_VERIFY_PARAM_set1_ip_asc(checks, host.c_str()) != 1) {
            SSL_set1_host(tls_, host.c_str());
            SSL_set_tlsext_host_name(tls_, host.c_str());
        }
        ERR_clear_error();
        SSL_set_fd(tls_, socket_);
        for (;;) {
            const int done = SSL_connect(tls_);
            if (done == 1) return {};
            CHECK(go_on(done, "TLS handshake", until));
        }
    }

    Result<> go_on(int done, std::string_view doing, Deadline until)
    {
        const int error = SSL_get_error(tls_, done);
        if (error == SSL_ERROR_WANT_READ) return wait_for(socket_, POLLIN, until);
        if (error == SSL_ERROR_WANT_WRITE) return wait_for(socket_, POLLOUT, until);
        return syslog_failure(doing, tls_words());
    }

    Result<std::size_t> write_tls(std::string_view bytes, Deadline until)
    {
        for (;;) {
            std::size_t count = 0;
            ERR_clear_error();
            const int done = SSL_write_ex(tls_, bytes.data(), bytes.size(), &count);
            if (done == 1) return count;
            CHECK(go_on(done, "TLS write", until));
        }
    }

    Result<std::size_t> write_plain(std::string_view bytes, Deadline until)
    {
        for (;;) {
            const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return socket_failure("send");
            CHECK(wait_for(socket_, POLLOUT, until));
        }
    }

    int socket_;
    SSL* tls_;
};

SyslogSink::SyslogSink(Target target) : target_{std::move(target)}
{
    if (!target_.tls) return;
    SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr) throw std::runtime_error{"audit.forward_syslog: " + tls_words()};
    tls_ = {context, [](void* held) { SSL_CTX_free(static_cast<SSL_CTX*>(held)); }};
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    const int loaded = target_.ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(context)
                           : SSL_CTX_load_verify_locations(context, target_.ca_file.c_str(), nullptr);
    if (loaded != 1) throw std::runtime_error{"audit.forward_ca " + target_.ca_file + ": " + tls_words()};
}

SyslogSink::~SyslogSink() = default;

Result<> SyslogSink::send(std::span<const AuditMessage> messages)
{
    block_broken_pipes();
    const auto until = std::chrono::steady_clock::now() + target_.patience;
    if (connection_ && !connection_->look_for_end()) connection_.reset();
    if (!connection_) {
        TRY(connection_, Connection::open(target_, static_cast<SSL_CTX*>(tls_.get()), until));
    }
    std::string bytes;
    for (const auto& message : messages) bytes += syslog_frame(message, target_.instance);
    auto sent = connection_->write(bytes, until);
    if (sent) sent = connection_->settle(until);
    if (!sent) connection_.reset();
    return sent;
}

}  // namespace entrepot
