#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/net/chunk_stores.hpp"
#include "swarm/net/peer_network_counters.hpp"
#include "swarm/net/peer_stream.hpp"
#include "swarm/net/peer_tls_context.hpp"
#include "swarm/peer/swarm_node.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

struct PeerNetworkSettings {
    NodeSettings node;  // its id is the key's
    PeerPolicy peer_policy{};
    SeedPolicy seed_policy{};
    // Where to listen, and where connections go out: an address, an interface's name, or nothing for all of them.
    std::string binding{};
    std::uint16_t port = 0;            // 0: the kernel's choice
    std::uint64_t up = no_rate_limit;  // bytes a second: 0 forbids DATA
    std::uint64_t down = no_rate_limit;
    std::size_t most_connections = 512;
    std::size_t most_handshakes = 64;                           // unfinished
    std::size_t most_of_address = 32;                           // connections that one address has opened
    std::size_t most_arriving = std::size_t{64} * 1024 * 1024;  // bytes of chunks that are not stored yet
    std::chrono::steady_clock::duration handshake_time = std::chrono::seconds{5};
    std::chrono::steady_clock::duration chunk_time = std::chrono::seconds{30};  // for one that has begun to come
    std::chrono::steady_clock::duration farewell = std::chrono::seconds{1};     // for what is sent before the end
    // Puts something between a connection's TLS and its socket: tests have delay there. Empty: nothing.
    std::function<std::unique_ptr<PeerStream>(std::unique_ptr<PeerStream>)> wrap{};
};

// Whom a network tells and asks. Called on its loop.
class PeerNetworkOwner {
public:
    virtual ~PeerNetworkOwner() = default;

    // Whether the node may have this swarm's pieces: nullopt, or why not. Asked from inside: it must not call back.
    virtual std::optional<DenyCode>
    refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket) = 0;
    // These three as NodeShell has them; from them the network may be called.
    virtual void starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped) = 0;
    virtual void complete(const SwarmId& swarm) = 0;
    virtual void caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent) = 0;
    // As NodeShell has it, from inside.
    virtual void news(const SwarmId&) {}
};

// A node of the swarm on the network: a SwarmNode with its sockets, TLS, timer, uploads and storage. Everything is done
// on one loop (an io_context that one thread runs, or a strand), and everything here is to be called on it. Owner,
// sink, source and clock outlive it; stop() it before it goes.
class PeerNetwork {
public:
    PeerNetwork(
        asio::any_io_executor loop,
        PeerNetworkSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        PeerNetworkOwner& owner,
        PeerChunkSink& sink,
        PeerChunkSource& source,
        const Clock& clock
    );
    ~PeerNetwork();
    PeerNetwork(const PeerNetwork&) = delete;
    PeerNetwork& operator=(const PeerNetwork&) = delete;

    // Begins to listen, and to do what the node wants. bad_request: no such binding; unavailable: it can't be listened
    // on. To be called once.
    Result<> start();
    // Where it listens, once it has started.
    std::uint16_t port() const noexcept;
    // BYE to everybody, and all connections and coroutines ended. To be awaited on the loop, once; act() does nothing
    // any more. Waits for chunks that are being stored.
    asio::awaitable<void> stop();

    // Everything that is said to the node: add_swarm(), neighbours() and so on. What the node wants follows at once.
    void act(const std::function<void(SwarmNode&, SwarmTime)>& what);
    const SwarmNode& node() const noexcept;

    // For connections from now on: a renewed certificate, or other authorities.
    void renew(std::shared_ptr<const PeerTlsContext> tls);
    // From now on. Down is kept by not reading, so DATA that is on its way comes later, and others ask elsewhere.
    // `across`: to and from nodes of other zones together.
    void limit(std::uint64_t up, std::uint64_t down, std::uint64_t across = no_rate_limit);
    const PeerNetworkCounters& counters() const noexcept;
    // Of one swarm, since this was asked last, or since the swarm began.
    SwarmTraffic take_traffic(const SwarmId& swarm);

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace entrepot
