#pragma once

#include <netinet/in.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>

#include <openssl/types.h>

namespace entrepot::load {

// Where the load goes. `host` is what the Host field says.
struct Target {
    sockaddr_in address{};
    std::string host;
    bool tls = false;
};

// "127.0.0.1:5000"; exits with a message on anything else, for this is a tool for one's own machine.
Target target_of(const std::string& endpoint, bool tls);

enum class Moved { bytes, nothing_now, closed };

// A connected TCP or TLS 1.3 stream, non-blocking after its constructor, which connects and shakes hands blocking.
// Throws std::runtime_error when it cannot connect.
class Stream {
public:
    Stream(const Target& target, SSL_CTX* tls);
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    int descriptor() const { return descriptor_; }
    Moved read(std::span<char> into, std::size_t& count);
    Moved write(std::span<iovec> pieces, std::size_t& count);
    // Bytes may wait inside the TLS layer, of which epoll knows nothing.
    bool holds_more() const;

private:
    void shake_hands(SSL_CTX* tls);
    Moved moved(ssize_t result, std::size_t& count) const;

    int descriptor_ = -1;
    SSL* tls_ = nullptr;
};

// For the client side of Stream; certificates are not checked.
SSL_CTX* make_client_context();

}  // namespace entrepot::load
