#pragma once

#include "swarm/peer/node_shell.hpp"
#include "swarm/peer/peer_connection.hpp"
#include "swarm/peer/swarm_session.hpp"
#include "swarm/peer/upload_queue.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>

namespace entrepot {

struct NodeSettings {
    NodeId id{};
    std::string name;
    std::string zone;
    CapabilitySet capabilities;
    std::uint8_t plane = 0;
    double up = 0;                            // bytes a second that this node can send
    std::uint32_t credit = 64 * 1024 * 1024;  // that each neighbour is given, bytes
    std::uint16_t most_neighbours = 32;       // in one swarm
    SwarmTime ping_after = swarm_second;      // of silence while answers are awaited
    SwarmTime ping_idle_after = 30 * swarm_second;
    SwarmTime silence = 2 * swarm_second;  // after a PING; then the connection is given up
    std::uint64_t random_seed = 1;
};

// What is to be sent in answer to a request: one DATA frame for each extent, then sent().
struct UploadOrder {
    ConnectionId connection = 0;
    SwarmId swarm{};
    SwarmHandle handle{};
    RequestId request = 0;
    boost::container::small_vector<ChunkSpan, 2> extents;
    std::uint64_t bytes = 0;
};

// A node's part in all its swarms, over all its connections: the swarm protocol without sockets, disk, hashing or
// clock. Agents and the registry's instances drive it; frames come in and bytes go out through NodeShell, data is only
// spoken of. docs/formats/swarm-wire.md says what the frames mean. Not safe across threads.
class SwarmNode {
public:
    SwarmNode(NodeSettings settings, const PeerPolicy& peer_policy, const SeedPolicy& seed_policy, NodeShell& shell);
    SwarmNode(const SwarmNode&) = delete;
    SwarmNode& operator=(const SwarmNode&) = delete;
    ~SwarmNode();

    // ---- swarms. Nothing happens when one is added twice, or removed when it isn't there.
    void add_swarm(const SwarmId& id, PieceLayout layout, const PieceSet& held, std::string ticket, SwarmTime now);
    // The registry's part: everything is here. `first`: see SuperSeed.
    void add_seed(const SwarmId& id, PieceLayout layout, PieceIndex first);
    // `why` is what neighbours are told: DENY, or LEAVE where there is no reason.
    void remove_swarm(const SwarmId& id, std::optional<DenyCode> why, SwarmTime now);
    void set_ticket(const SwarmId& id, std::string ticket);
    // Of what is asked for from now on: at those who are asked, the higher goes first.
    void set_priority(const SwarmId& id, std::uint8_t priority);
    // SwarmPeer::set_tracked().
    void set_tracked(const SwarmId& id, bool tracked);
    // A neighbour's right to the swarm has ended: DENY, and nothing of it between both any more.
    void deny(const NodeId& node, const SwarmId& id, DenyCode why, SwarmTime now);
    // From the tracker. Those that there is a connection to are joined, the others are wanted from the shell.
    void neighbours(const SwarmId& id, std::span<const PeerEntry> peers, SwarmTime now);
    // Where the runtime reads and what it waits for.
    void read_at(const SwarmId& id, PieceIndex piece, SwarmTime now);
    void urge(const SwarmId& id, PieceRange pieces, SwarmTime now);
    // A piece came another way, verified.
    void fetched(const SwarmId& id, PieceIndex piece, SwarmTime now);

    // ---- connections
    // TLS is up; `node` is the certificate's, and so is whether it is the registry (`seed`).
    void opened(ConnectionId connection, const NodeId& node, bool by_us, bool seed, SwarmTime now);
    // A node that connect() was about can't be reached.
    void unreachable(const NodeId& node);
    void closed(ConnectionId connection, SwarmTime now);
    // A frame other than DATA. False: the connection is closed, and nothing more of it is wanted.
    bool received(ConnectionId connection, const PeerFrame& frame, SwarmTime now);
    // Bytes have come, or would have if we had read them: the other side is not silent, whatever became of its frames.
    void heard(ConnectionId connection, SwarmTime now) noexcept;
    // DATA begins: the swarm whose chunks follow, when it was asked for. nullopt: its bytes are to be passed over, or
    // the connection was closed for them.
    std::optional<SwarmId> data_begins(ConnectionId connection, const DataFrame& frame, SwarmTime now);
    // The chunks of a DATA frame were compared with the image's hashes, and kept when they are `good`.
    void data_verified(ConnectionId connection, const DataFrame& frame, bool good, SwarmTime now);
    // The stream is none of frames: BYE(protocol).
    void broken(ConnectionId connection, const std::string& why, SwarmTime now);

    // ---- what this node sends
    std::optional<UploadOrder> next_upload();
    // The next of those to connections that may be sent to; the others wait.
    std::optional<UploadOrder> next_upload(const std::function<bool(ConnectionId)>& may_go);
    void sent(const UploadOrder& order, SwarmTime now);
    // Bytes a second that can be sent from now on: NodeSettings::up.
    void set_up(double bytes_per_second);
    // Bytes a second to and from nodes of other zones together; the registry isn't one.
    void set_across(std::uint64_t bytes_per_second, SwarmTime now) noexcept { across_.set(bytes_per_second, now); }

    void wake(SwarmTime now);
    // BYE to everybody.
    void shut_down();

    const SwarmSession* find(const SwarmId& id) const noexcept;
    std::size_t connections() const noexcept { return connections_.size(); }

private:
    class Links;
    struct Part {
        std::unique_ptr<SwarmSession> session;
        std::unique_ptr<Links> links;
    };
    struct Refused {
        SwarmIndex swarm;
        NeighbourSlot slot;
        PieceIndex piece;
    };

    // Frames. Those without a function of their own have no effect.
    void on(ConnectionId id, PeerConnection& connection, const HelloFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const PingFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const JoinFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const JoinOkFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const DenyFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const LeaveFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const HaveMapFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const HaveFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const InterestFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const RequestFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const BusyFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const CancelFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const CreditFrame& frame, SwarmTime now);
    void on(ConnectionId id, PeerConnection& connection, const GetBundleFrame& frame, SwarmTime now);

    template <class Frame>
    void send(ConnectionId connection, const Frame& frame);
    void bye(ConnectionId connection, ByeReason reason, const std::string& text, SwarmTime now);
    void forget(ConnectionId connection, SwarmTime now);
    PeerConnection* find(ConnectionId connection) noexcept;

    SwarmPeer* peer_of(const SwarmId& id) noexcept;
    Part& new_part(const SwarmId& id, PieceLayout layout, std::string ticket);
    std::optional<SwarmIndex> index_of(const SwarmId& id) const noexcept;
    void piece_came(SwarmIndex swarm, std::optional<NeighbourSlot> slot, PieceIndex piece, SwarmTime now);
    void tell_if_complete(Part& part);

    void join(ConnectionId id, PeerConnection& connection, SwarmIndex swarm, SwarmTime now);
    void leave(ConnectionId id, PeerConnection& connection, SwarmIndex swarm, SwarmTime now);
    void
    expel(ConnectionId id, PeerConnection& connection, SwarmIndex swarm, std::optional<DenyCode> why, SwarmTime now);
    void meet(ConnectionId id, PeerConnection& connection, Membership& membership, SwarmTime now);
    void part_from(ConnectionId id, PeerConnection& connection, Membership& membership, SwarmTime now);
    bool make_room(SwarmIndex swarm, SwarmTime now);
    std::size_t members_of(SwarmIndex swarm) const noexcept;
    Membership& enrol(PeerConnection& connection, SwarmIndex swarm);
    static void strike_off(PeerConnection& connection, SwarmIndex swarm);
    void join_wanted(ConnectionId id, PeerConnection& connection, SwarmTime now);
    void harm(ConnectionId id, PeerConnection& connection, const std::string& what, SwarmTime now);
    void show_holdings(ConnectionId id, const SwarmSession& session, const Membership& membership);
    Membership* membership_of(PeerConnection& connection, SwarmHandle theirs) noexcept;
    static bool handle_in_use(const PeerConnection& connection, SwarmHandle handle) noexcept;

    std::uint16_t zone_number(const std::string& zone);
    void bound_uploads() noexcept;
    std::optional<SwarmId> expect(ConnectionId id, PeerConnection& connection, const DataFrame& frame, SwarmTime now);
    static bool awaits(const OpenRequest& open, const PieceLayout& layout, ChunkSpan extent);
    std::uint16_t load_ms() const noexcept;
    void look_after(SwarmTime now);
    void settle(SwarmTime now);

    NodeSettings settings_;
    const PeerPolicy& peer_policy_;
    const SeedPolicy& seed_policy_;
    NodeShell& shell_;
    UploadQueue uploads_;
    AcrossBudget across_;
    std::map<std::string, std::uint16_t, std::less<>> zones_;
    std::map<ConnectionId, PeerConnection> connections_;
    std::map<NodeId, ConnectionId> by_node_;
    std::map<SwarmIndex, Part> swarms_;
    std::map<SwarmId, SwarmIndex> indices_;
    std::set<NodeId> dialled_;
    std::map<SwarmId, std::vector<NodeId>> wanted_;             // to be joined as soon as there is a connection
    std::vector<std::pair<ConnectionId, SwarmIndex>> useless_;  // to be left
    std::vector<Refused> refused_;                              // for want of credit
    SwarmRandom random_;
    SwarmIndex last_swarm_ = 0;
    SwarmTime look_at_ = 0;
};

}  // namespace entrepot
