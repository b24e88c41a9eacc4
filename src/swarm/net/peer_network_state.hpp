#pragma once

#include "core/task_group.hpp"
#include "swarm/net/local_binding.hpp"
#include "swarm/net/peer_channel.hpp"
#include "swarm/net/peer_listener.hpp"
#include "swarm/net/peer_network.hpp"
#include "swarm/net/uplink_gauge.hpp"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace entrepot {

// The inside of a PeerNetwork. For its own files: peer_network.cpp its life and the node's wishes, network_doors.cpp
// connections that begin and end, network_reading.cpp and network_writing.cpp what they carry.
class PeerNetwork::State final : public NodeShell {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Tcp = asio::ip::tcp;
    using Channel = std::shared_ptr<PeerChannel>;

    State(
        asio::any_io_executor loop,
        PeerNetworkSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        PeerNetworkOwner& owner,
        PeerChunkSink& sink,
        PeerChunkSource& source,
        const Clock& clock
    );

    Result<> start();
    asio::awaitable<void> stop();
    void limit(std::uint64_t up, std::uint64_t down, std::uint64_t across);

    // Does something with the node, and then what the node wants of others.
    template <class What>
    void act(What what)
    {
        if (stopped_) return;
        ++depth_;
        what(node_, swarm_now());
        --depth_;
        settle();
    }

    // NodeShell: called from inside the node. What would call it back is kept for settle().
    void send(ConnectionId connection, std::string bytes) override;
    void close(ConnectionId connection) override;
    void connect(const PeerEntry& peer) override;
    std::optional<DenyCode> refusal(const NodeId& peer, const SwarmId& swarm, std::string_view ticket) override;
    void upload_ready() override { uploads_wait_ = true; }
    void starved(const SwarmId& swarm, RefillReason reason, std::optional<NodeId> dropped) override;
    void complete(const SwarmId& swarm) override;
    void caught(const NodeId& peer, const SwarmId& swarm, ChunkSpan extent) override;
    void news(const SwarmId& swarm) override { owner_.news(swarm); }
    void wake_at(SwarmTime time) override;

    std::uint16_t port() const noexcept { return listener_.port(); }
    const SwarmNode& node() const noexcept { return node_; }
    const PeerNetworkCounters& counters() const noexcept { return counters_; }
    SwarmTraffic take_traffic(const SwarmId& swarm) { return std::exchange(traffic_[swarm], {}); }
    void renew(std::shared_ptr<const PeerTlsContext> tls) { tls_ = std::move(tls); }

private:
    struct Dialling {
        Tcp::socket* socket = nullptr;  // while it connects
        Time until{};
    };
    // Sees to it that a channel's end is noticed, however its coroutine ends.
    struct Leaving {
        State& state;
        PeerChannel& channel;
        ~Leaving() { state.end(channel); }
    };

    // What the node can send in a second: its link's, or less where that is limited. 0: nobody knows.
    static double speed(double link, std::uint64_t limit) noexcept;
    Time now() const noexcept { return clock_.steady(); }
    SwarmTime swarm_now() const noexcept;
    void settle();
    asio::awaitable<void> keep_time();
    asio::awaitable<void> watch();
    void look_after(PeerChannel& channel, Time time);
    void measure_way();

    // Doors.
    void admit(Tcp::socket socket);
    asio::awaitable<void> dial(PeerEntry peer);
    Channel enter(Tcp::socket socket, std::optional<NodeId> wanted);
    asio::awaitable<void> serve(Channel channel);
    bool begin(PeerChannel& channel);
    void cut(PeerChannel& channel);
    void cut_all();
    void end(PeerChannel& channel);
    bool may_enter(const Address& address) const;

    // Reading.
    asio::awaitable<void> read(PeerChannel& channel);
    asio::awaitable<std::size_t> room_to_read(PeerChannel& channel);
    void take(PeerChannel& channel);
    bool take_frames(PeerChannel& channel);
    void take_frame(PeerChannel& channel, const WholeFrame& frame);
    void data_begins(PeerChannel& channel, const DataFrame& frame);
    void data_comes(PeerChannel& channel, std::span<const std::byte> bytes);
    void begin_chunk(ArrivingData& arriving);
    void chunk_came(PeerChannel& channel);
    asio::awaitable<void>
    store(ConnectionId connection, DataFrame frame, SwarmId swarm, ChunkBuffer chunk, ByteQuota::Share share);

    // Writing.
    asio::awaitable<void> write(Channel channel);
    bool seal_next(PeerChannel& channel);
    bool seal_data(PeerChannel& channel, std::size_t most);
    void data_left(PeerChannel& channel);
    void pump();
    std::uint64_t unsent() const noexcept;
    std::uint64_t room_for_data() const noexcept;
    bool uplink_has_room();
    void look_at_uplink(Time time);
    void learn_link();
    asio::awaitable<void> watch_uplink();
    asio::awaitable<void> upload(Channel channel, UploadOrder order);
    asio::awaitable<std::uint64_t>
    upload_chunk(PeerChannel& channel, const UploadOrder& order, ChunkIndex chunk, bool last);

    asio::any_io_executor loop_;
    PeerNetworkSettings settings_;
    std::shared_ptr<const PeerTlsContext> tls_;
    PeerNetworkOwner& owner_;
    PeerChunkSink& sink_;
    PeerChunkSource& source_;
    const Clock& clock_;
    SwarmNode node_;
    PeerNetworkCounters counters_;
    std::map<SwarmId, SwarmTraffic> traffic_;  // that nobody has taken
    RateLine up_;
    RateLine down_;
    ByteQuota arriving_;
    UplinkGauge uplink_;
    std::uint64_t under_way_ = 0;  // bytes, at the last look and what was given since
    Time uplink_looked_{};
    double link_known_ = 0;           // that the node was told, by it
    std::uint64_t acknowledged_ = 0;  // of all connections that ever were
    Time uplink_due_ = Time::max();   // when to look whether it has room again

    LocalBinding binding_;
    PeerListener listener_;
    std::map<ConnectionId, Channel> channels_;
    std::map<NodeId, Dialling> dialling_;
    std::vector<NodeId> missed_;  // of these: they weren't to be had, and the node hears of it at the next watch
    std::map<std::array<std::uint8_t, 16>, std::size_t> of_address_;
    std::size_t handshakes_ = 0;
    ConnectionId last_connection_ = 0;

    std::set<SwarmTime> alarms_;
    WaitLine alarm_;
    WaitLine watching_;
    WaitLine uplink_waits_;
    WaitLine emptied_;
    std::deque<std::function<void()>> wishes_;
    unsigned depth_ = 0;
    bool settling_ = false;
    bool uploads_wait_ = false;
    bool stopping_ = false;
    bool stopped_ = false;

    // Of whichever connection is being read: nothing is left in them between two turns of the loop.
    std::vector<std::byte> raw_;
    std::vector<std::byte> clear_;
    TaskGroup tasks_;
};

}  // namespace entrepot
