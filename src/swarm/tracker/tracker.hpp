#pragma once

#include "swarm/peer/peer_policy.hpp"
#include "swarm/tracker/swarm_limits.hpp"
#include "swarm/tracker/swarm_members.hpp"
#include "swarm/tracker/swarm_tallies.hpp"
#include "swarm/wire/control_frames.hpp"

#include <boost/container/flat_map.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace entrepot {

// A control stream, in the numbering of who owns the sockets; never used twice.
using ControlId = std::uint32_t;

// What a Tracker has others do. Called from inside its own functions: it must not call back.
class TrackerShell {
public:
    virtual ~TrackerShell() = default;
    // Bytes for a stream, behind all that was sent on it before.
    virtual void send(ControlId stream, std::string bytes) = 0;
    // When what was sent has left. closed() is not called for it.
    virtual void close(ControlId stream) = 0;
    // A node wants to take part in a swarm, and shows this ticket, or none (empty). Later, admitted() or refused(); it
    // hears of no other node before.
    virtual void wants(
        ControlId stream, const NodeId& node, SwarmHandle handle, const SwarmId& swarm, const std::string& ticket
    ) = 0;
    // A node asks for its next certificate, with a PKCS#10 request (PEM, unread). Later, certified(); until then it
    // can't ask again, but after renewal_failed().
    virtual void renewal(ControlId stream, const NodeId& node, const std::string& request) = 0;
    // A node says that another sent a false chunk.
    virtual void reported(const NodeId& by, const ReportFrame& report) = 0;
    virtual void preheat_progress(const NodeId& node, const PreheatProgressFrame& progress) = 0;
};

struct TrackerSettings {
    std::uint64_t epoch = 1;  // another one after each start
    std::uint32_t report_ms = 1'000;
    NodeRates rates{};
    SwarmTime silence = 90 * swarm_second;  // a stream on which nothing came for so long has ended
    std::size_t most_swarms_of_node = 4'096;
    std::uint64_t random_seed = 1;
};

// How one swarm does, summed over its members.
struct SwarmOverview {
    std::uint32_t members = 0;
    std::uint32_t complete = 0;
    std::uint32_t seeds = 0;                 // registry's neighbours among them
    std::array<std::uint32_t, 11> tenths{};  // members by progress: 0 to 9 %, …, 100 %
    std::uint64_t from_origin = 0;           // bytes, since the tracker knows it
    std::uint64_t from_zone = 0;
    std::uint64_t across_zones = 0;
};

// The tracker: who takes part in which swarm and who should talk to whom, over control streams without sockets. All of
// it is soft: agents say it again on a new stream. docs/formats/swarm-wire.md says what the frames mean.
// Memory: some 300 bytes a node, 230 a membership. Not safe across threads.
class Tracker {
public:
    Tracker(const TrackerSettings& settings, const TrackerPolicy& policy, TrackerShell& shell);
    Tracker(const Tracker&) = delete;
    Tracker& operator=(const Tracker&) = delete;
    ~Tracker();

    // The instances of the registry that seed, as peers find them.
    void set_seeds(std::vector<PeerEntry> seeds) { seeds_ = std::move(seeds); }

    // The instances of the registry that track, as nodes find them, `self` among them: each swarm is tracked by one
    // (swarm_owner.hpp), and nodes that take MOVED are sent there, those of swarms that have another owner now at once.
    // None: all swarms are tracked here, as before it is called.
    void set_instances(const PeerEndpoint& self, std::vector<PeerEndpoint> all);

    // TLS is up; `node` is the certificate's, `from` where the stream comes from.
    void opened(ControlId stream, const NodeId& node, const PeerEndpoint& from, SwarmTime now);
    void closed(ControlId stream);
    // False: the stream is closed, and nothing more of it is wanted.
    bool received(ControlId stream, const ControlFrame& frame, SwarmTime now);
    void broken(ControlId stream, const std::string& why);

    // What wants() was about, if it is still so. `right`: where its right comes from, for who asks how members do.
    void
    admitted(ControlId stream, SwarmHandle handle, const SwarmId& swarm, std::string ticket, std::uint64_t right = 0);
    void refused(ControlId stream, SwarmHandle handle, const SwarmId& swarm);
    // A new ticket for each member, when theirs are about to expire.
    void for_each_member(const SwarmId& swarm, const std::function<void(ControlId, SwarmHandle, const NodeId&)>& visit);
    void renew(ControlId stream, SwarmHandle handle, std::string ticket);
    // What renewal() was about: PEM; an empty certificate refuses. Within the bounds of CertificateFrame.
    void certified(ControlId stream, std::string certificate, std::string authorities);
    // There is no answer to renewal(), as nothing is known: the node hears nothing, and may ask again.
    void renewal_failed(ControlId stream);

    // What tickets are checked with: at most WireLimits::ticket_keys. To all nodes when they change, and to new ones.
    void set_ticket_keys(std::vector<TicketPublicKey> keys);
    // To all nodes, at once; swarms that are revoked end here, for all their members.
    void revoke(const RevokeFrame& frame);
    // From now on, by zone: to those nodes for which it changes anything, and to new ones.
    void set_limits(SwarmLimits limits);
    // To those that `which` wants, on their own streams; how many these are.
    std::size_t
    preheat(const PreheatFrame& frame, const std::function<bool(std::string_view name, std::string_view zone)>& which);

    // Ends streams that are silent. Once in some seconds.
    void look(SwarmTime now);

    // Without those whose own stream is elsewhere.
    std::size_t nodes() const noexcept { return by_stream_.size() - asides_; }
    std::size_t swarms() const noexcept { return swarms_.size(); }
    std::optional<SwarmOverview> overview(const SwarmId& swarm) const;
    // Its members, summed by zone and right: takes as long with many of them as with few. None: there is no such swarm.
    std::vector<SwarmTally> tallies(const SwarmId& swarm) const;
    // Each of its members: 3 ms for 15,000.
    std::vector<SwarmMember> members(const SwarmId& swarm) const;
    // Of all swarms since the start.
    const SwarmReceived& received() const noexcept { return received_; }
    const SwarmPace& pace() const noexcept { return pace_; }

private:
    struct Swarm;
    struct Membership {
        Swarm* swarm = nullptr;
        bool admitted = false;
        bool seed = false;
        std::uint16_t progress = 0;
        SwarmTime refilled = 0;
        std::vector<NodeIndex> known;  // whom it was told of, and whom it never wants again
        SwarmPart part;
        std::optional<std::uint8_t> told_others;  // with HOLDERS, since it has all of it
    };
    struct Node {
        ControlId stream = 0;
        NodeId id{};
        PeerEndpoint from{};
        std::optional<RegisterFrame> registered;
        std::uint16_t zone = 0;
        SwarmTime heard = 0;
        bool takes_moves() const noexcept { return registered && registered->capabilities.has(Capability::moves); }
        bool is_aside() const noexcept { return registered && registered->aside; }

        bool renewing = false;  // its certificate; it waits for certified()
        boost::container::flat_map<SwarmHandle, Membership> memberships;
    };

    void on(NodeIndex index, const RegisterFrame& frame);
    void on(NodeIndex index, const RenewFrame& frame);
    void on(NodeIndex index, const AnnounceFrame& frame);
    void on(NodeIndex index, const ProgressFrame& frame);
    void on(NodeIndex index, const RefillFrame& frame);
    void on(NodeIndex index, const RetireFrame& frame);
    void on(NodeIndex index, const ReportFrame& frame);
    void on(NodeIndex index, const PreheatProgressFrame& frame);
    void on(NodeIndex index, const PingFrame& frame);

    void send(ControlId stream, const ControlFrame& frame);
    void bye(ControlId stream, ByeReason reason, const std::string& text);
    void forget(ControlId stream);
    bool take_place(NodeIndex index, bool aside);
    const PeerEndpoint* elsewhere(const SwarmId& swarm) const noexcept;
    InstancesFrame others() const;
    void leave(NodeIndex index, SwarmHandle handle);
    void note(const Node& node, Membership& membership, std::uint16_t progress);
    void note(const Node& node, Membership& membership, const SwarmProgress& progress);
    void tell(NodeIndex index, SwarmHandle handle, Membership& membership, const SwarmMembers::Choice& choice);
    void note_holder(NodeIndex index, Membership& membership, bool holds);
    void tell_others(NodeIndex index, const Swarm& swarm, std::size_t holders);
    static void remember(Membership& membership, std::span<const NodeIndex> nodes);
    PeerEntry entry_of(NodeIndex index, const Swarm& swarm) const;
    const PeerEntry* seed_for(const Node& node, const Swarm& swarm) const noexcept;
    std::uint16_t zone_number(const std::string& zone);
    Swarm& swarm_of(const SwarmId& id);
    NodeIndex new_node();

    const TrackerSettings settings_;
    const TrackerPolicy& policy_;
    TrackerShell& shell_;
    std::vector<PeerEntry> seeds_;
    PeerEndpoint self_{};
    std::vector<PeerEndpoint> instances_;
    std::size_t asides_ = 0;   // streams
    std::vector<Node> nodes_;  // by NodeIndex; stream 0: free
    std::vector<NodeIndex> free_;
    std::unordered_map<ControlId, NodeIndex> by_stream_;
    std::map<NodeId, NodeIndex> by_id_;  // that have registered
    std::map<SwarmId, Swarm> swarms_;
    std::map<std::string, std::uint16_t, std::less<>> zones_;
    SwarmLimits limits_;
    std::vector<TicketPublicKey> ticket_keys_;
    SwarmRandom random_;
    SwarmReceived received_;
    SwarmPace pace_;
};

}  // namespace entrepot
