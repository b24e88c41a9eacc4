#pragma once

#include "core/asio.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/net/peer_tls_context.hpp"
#include "swarm/tracker/tracker.hpp"
#include "swarm/wire/control_frames.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

struct ControlServerSettings {
    std::string binding{};   // where to listen: as PeerNetworkSettings has it
    std::uint16_t port = 0;  // 0: the kernel's choice
    std::size_t most_streams = 120'000;
    std::size_t most_handshakes = 1024;  // unfinished
    std::size_t most_of_address = 64;    // streams of one address
    std::chrono::steady_clock::duration handshake_time = std::chrono::seconds{10};
    std::size_t most_unsent = std::size_t{4} * 1024 * 1024;  // bytes for one stream; who takes nothing is cut
};

struct ControlServerCounters {
    std::uint64_t refused = 0;  // for a limit on streams, handshakes or those of an address
    std::uint64_t handshakes_failed = 0;
    std::uint64_t cut = 0;  // handshakes that took too long, and streams with too much unsent
};

// Whom a server of control streams tells. Called on its loop; it may be called from there.
class ControlServerOwner {
public:
    virtual ~ControlServerOwner() = default;

    // TLS is up, and the certificate is a node's of ours. `from`: where the stream comes from.
    virtual void opened(ControlId stream, const NodeIdentity& node, const PeerEndpoint& from) = 0;
    virtual void received(ControlId stream, const ControlFrame& frame) = 0;
    // The stream is none of frames, and isn't read any more; BYE and close() are the owner's.
    virtual void broken(ControlId stream, const std::string& why) = 0;
    // It has ended, not by close().
    virtual void closed(ControlId stream) = 0;
};

// The registry's end of control streams: sockets, TLS 1.3 with certificates on both sides, frames. Some 15,000 streams
// on one loop; an idle one takes no timer, and some 23 KiB of memory, of which OpenSSL has 19. Everything is to be
// called on the loop; owner and clock outlive it; stop() it before it goes.
class ControlServer {
public:
    ControlServer(
        asio::any_io_executor loop,
        ControlServerSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        ControlServerOwner& owner,
        const Clock& clock
    );
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    Result<> start();  // bad_request: no such binding; unavailable
    std::uint16_t port() const noexcept;
    // Bytes of whole frames, behind all that was sent on the stream before. Of a stream that has ended: nothing
    // happens. Where too much is unsent the stream is cut; closed() follows in a later turn of the loop.
    void send(ControlId stream, std::string bytes);
    // When what was sent has left, or a second later. closed() is not called for it.
    void close(ControlId stream);
    void renew(std::shared_ptr<const PeerTlsContext> tls);  // for streams from now on
    std::size_t streams() const noexcept;
    const ControlServerCounters& counters() const noexcept;
    // Closes all streams as close() does; the owner hears nothing any more. To be awaited on the loop, once.
    asio::awaitable<void> stop();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace entrepot
