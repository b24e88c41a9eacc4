#include "stream.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <stdexcept>

#include <openssl/ssl.h>

namespace entrepot::load {

Target target_of(const std::string& endpoint, bool tls)
{
    Target target{.address = {}, .host = endpoint, .tls = tls};
    const auto colon = endpoint.rfind(':');
    const auto address = endpoint.substr(0, colon);
    target.address.sin_family = AF_INET;
    if (colon == std::string::npos || ::inet_pton(AF_INET, address.c_str(), &target.address.sin_addr) != 1) {
        std::cerr << "not ADDRESS:PORT: " << endpoint << '\n';
        std::exit(64);
    }
    target.address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(endpoint.c_str() + colon + 1)));
    return target;
}

Stream::Stream(const Target& target, SSL_CTX* tls) : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    if (descriptor_ < 0) throw std::runtime_error(std::string{"socket: "} + std::strerror(errno));
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&target.address), sizeof target.address) != 0) {
        const std::string why = std::strerror(errno);
        ::close(descriptor_);
        throw std::runtime_error("connect " + target.host + ": " + why);
    }
    if (target.tls) shake_hands(tls);
    ::fcntl(descriptor_, F_SETFL, ::fcntl(descriptor_, F_GETFL) | O_NONBLOCK);
}

void Stream::shake_hands(SSL_CTX* tls)
{
    tls_ = SSL_new(tls);
    SSL_set_fd(tls_, descriptor_);
    if (SSL_connect(tls_) != 1) {
        SSL_free(tls_);
        ::close(descriptor_);
        throw std::runtime_error("TLS handshake failed");
    }
}

Stream::~Stream()
{
    if (tls_ != nullptr) {
        SSL_free(tls_);
    }
    ::close(descriptor_);
}

Moved Stream::read(std::span<char> into, std::size_t& count)
{
    if (tls_ == nullptr) {
        const auto received = ::recv(descriptor_, into.data(), into.size(), 0);
        return received == 0 ? Moved::closed : moved(received, count);
    }
    return moved(SSL_read(tls_, into.data(), static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX))), count);
}

Moved Stream::write(std::span<iovec> pieces, std::size_t& count)
{
    if (tls_ == nullptr) {
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = pieces.size();
        return moved(::sendmsg(descriptor_, &message, MSG_NOSIGNAL), count);
    }
    const auto& piece = pieces.front();
    return moved(
        SSL_write(tls_, piece.iov_base, static_cast<int>(std::min<std::size_t>(piece.iov_len, INT_MAX))), count
    );
}

Moved Stream::moved(ssize_t result, std::size_t& count) const
{
    if (result > 0) {
        count = static_cast<std::size_t>(result);
        return Moved::bytes;
    }
    if (tls_ == nullptr) return errno == EAGAIN ? Moved::nothing_now : Moved::closed;
    const auto why = SSL_get_error(tls_, static_cast<int>(result));
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? Moved::nothing_now : Moved::closed;
}

bool Stream::holds_more() const
{
    return tls_ != nullptr && SSL_has_pending(tls_) == 1;
}

SSL_CTX* make_client_context()
{
    auto* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    // Without it each 16 KB record costs two reads of the socket.
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, 128 * 1024);
    return context;
}

}  // namespace entrepot::load
