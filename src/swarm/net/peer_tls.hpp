#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/net/peer_tls_context.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

struct ssl_st;

namespace entrepot {

// One end of a connection's TLS. Sans-I/O: ciphertext is fed in and gathers in output(). Not movable; used on one loop.
class PeerTls {
public:
    // `by_us`: we have opened the connection. `now` is what certificates are judged by. Throws std::bad_alloc where
    // OpenSSL has no memory.
    PeerTls(std::shared_ptr<const PeerTlsContext> context, bool by_us, Micros now);
    ~PeerTls();
    PeerTls(const PeerTls&) = delete;
    PeerTls& operator=(const PeerTls&) = delete;

    // What came from the other side. It stays where it is until shake_hands() or read() has asked for more.
    void feed(std::span<const std::byte> ciphertext) noexcept { input_ = ciphertext; }

    // False: needs more. True: over, and peer() is known. unauthorized: a certificate that we don't take, or none;
    // bad_request: not TLS as we speak it, or not this protocol. output() may have an alert then.
    Result<bool> shake_hands();
    // How many bytes it has decrypted; 0: needs more. connection_lost: the other side has ended it; bad_request.
    Result<std::size_t> read(std::span<std::byte> into);
    // Encrypts all of `clear` behind what output() has. internal.
    Result<> seal(std::span<const std::byte> clear);
    // Says that nothing follows.
    void finish();

    // For the socket. Its owner takes from the front.
    std::string& output() noexcept { return output_; }
    const NodeIdentity& peer() const noexcept { return *peer_; }

private:
    friend struct PeerTlsCallbacks;

    std::shared_ptr<const PeerTlsContext> context_;
    Micros now_;
    std::span<const std::byte> input_;
    std::string output_;
    std::optional<NodeIdentity> peer_;
    std::uint64_t sealed_ = 0;  // bytes, with the key that is in use
    std::string refusal_;       // why the peer's certificate isn't taken
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
};

}  // namespace entrepot
