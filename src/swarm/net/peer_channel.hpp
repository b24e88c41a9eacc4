#pragma once

#include "core/address.hpp"
#include "swarm/net/byte_quota.hpp"
#include "swarm/net/chunk_buffer.hpp"
#include "swarm/net/peer_network_counters.hpp"
#include "swarm/net/peer_stream.hpp"
#include "swarm/net/peer_tls.hpp"
#include "swarm/net/rate_line.hpp"
#include "swarm/net/wait_line.hpp"
#include "swarm/peer/swarm_node.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace entrepot {

// A DATA frame that is coming in, chunk by chunk.
struct ArrivingData {
    DataFrame frame{};
    std::optional<SwarmId> swarm{};       // nullopt: passed over
    ChunkIndex chunk = 0;                 // that is coming
    std::optional<ChunkBuffer> buffer{};  // its bytes
    ByteQuota::Share share{};
    std::chrono::steady_clock::time_point due{};  // when the chunk has to be here
};

// One chunk on its way out, as a DATA frame.
struct DepartingData {
    SwarmId swarm{};
    std::string head{};
    ChunkBuffer bytes;
    std::optional<UploadOrder> ends{};  // with it the last of the order has gone
    std::size_t gone = 0;               // bytes, with the head's
};

// One connection as its network has it, from the handshake on. For the network's own files alone; on its loop.
struct PeerChannel {
    using Time = std::chrono::steady_clock::time_point;
    struct Lines {
        RateLine& up;
        RateLine& down;
    };

    PeerChannel(
        asio::any_io_executor loop,
        ConnectionId number,
        std::unique_ptr<PeerStream> bytes,
        std::unique_ptr<PeerTls> security,
        Lines lines
    )
        : id{number},
          stream{std::move(bytes)},
          tls{std::move(security)},
          reads{loop},
          writes{loop},
          drained{loop},
          down{lines.down, reads},
          up{lines.up, writes}
    {
    }

    bool by_us() const noexcept { return wanted.has_value(); }
    // Frames that the other side has not taken: who lets them pile up isn't listened to.
    std::size_t unsent_control() const noexcept { return control.size() + tls->output().size(); }

    const ConnectionId id;
    const std::unique_ptr<PeerStream> stream;
    const std::unique_ptr<PeerTls> tls;
    Address address{};
    std::optional<NodeId> wanted{};  // whom we have dialled
    TrafficClass traffic = TrafficClass::across;

    bool open = false;        // the node knows of it
    bool closing = false;     // the node is through with it: what was sent leaves, what comes isn't looked at
    bool cut = false;         // the socket is closed
    Time ends = Time::max();  // when a handshake or a farewell has taken too long

    WaitLine reads;
    WaitLine writes;
    WaitLine drained;  // of DATA
    RateLine::Turn down;
    RateLine::Turn up;

    FrameSplitter splitter{};
    std::optional<ArrivingData> arriving{};
    bool held = false;  // it isn't read for our own reasons

    std::string control{};
    std::deque<DepartingData> data{};
    std::size_t data_bytes = 0;      // in `data`, not gone
    std::uint64_t taken = 0;         // bytes of orders that have not gone, `data_bytes` among them
    std::uint64_t written = 0;       // bytes that its stream took
    std::uint64_t acknowledged = 0;  // of these, at the last look
    Time moved{};                    // when that was seen to grow, or its first order went
    Time blocked{};                  // since when the other side takes nothing; zero: it does
};

}  // namespace entrepot
