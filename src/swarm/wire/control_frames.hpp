#pragma once

#include "core/error.hpp"
#include "swarm/wire/frame_type.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace entrepot {

// The frames on the control stream between an agent and the tracker (docs/formats/swarm-wire.md); BYE, PING and PONG
// are those of peer_frames.hpp. Handles are the agent's in both directions: the tracker gives none. Texts are UTF-8
// without control characters. Node ids are those of the certificates; who a stream belongs to is not said in it.

// Agent: the first frame.
struct RegisterFrame {
    static constexpr FrameType type = FrameType::reg;
    VersionSpan versions = spoken_versions;
    std::string name{};  // WireLimits::node_name
    std::string zone{};  // WireLimits::zone
    std::uint8_t plane = 0;
    PeerEndpoint endpoint{};  // where peers find it
    CapabilitySet capabilities{};
    std::uint64_t up = 0;  // bytes per second that the node's network allows; 0: unknown
    std::uint64_t down = 0;
    std::uint64_t holdings_epoch = 0;  // changes when the agent has lost what it had
    // Later field: false in frames that end before it.
    bool aside = false;  // not the node's own stream: one for swarms that its own tracker has moved here

    bool operator==(const RegisterFrame&) const noexcept = default;
};
// Tracker: the answer.
struct WelcomeFrame {
    static constexpr FrameType type = FrameType::welcome;
    VersionSpan versions = spoken_versions;
    std::uint64_t epoch = 0;      // changes when the tracker has lost what it knew: announce again
    std::uint32_t report_ms = 0;  // between two PROGRESS, while there is any
    NodeRates rates{};

    bool operator==(const WelcomeFrame&) const noexcept = default;
};
// Tracker: from now on.
struct LimitsFrame {
    static constexpr FrameType type = FrameType::limits;
    NodeRates rates{};
    bool polite = false;  // make way for the traffic of others on the node

    bool operator==(const LimitsFrame&) const noexcept = default;
};

// Agent: its certificate is about to expire.
struct RenewFrame {
    static constexpr FrameType type = FrameType::renew;
    std::string request{};  // PKCS#10, PEM; WireLimits::certificate_request

    bool operator==(const RenewFrame&) const noexcept = default;
};
// Tracker: the answer.
struct CertificateFrame {
    static constexpr FrameType type = FrameType::certificate;
    std::string certificate{};  // PEM, WireLimits::certificate; empty: refused
    std::string authorities{};  // that nodes trust: PEM, one after the other; WireLimits::authorities

    bool operator==(const CertificateFrame&) const noexcept = default;
};
// Tracker: what tickets are signed with, in place of all that it named before.
struct TicketKeysFrame {
    static constexpr FrameType type = FrameType::ticket_keys;
    std::vector<TicketPublicKey> keys{};  // WireLimits::ticket_keys

    bool operator==(const TicketKeysFrame&) const noexcept = default;
};

// Agent: it takes part in a swarm.
struct AnnounceFrame {
    static constexpr FrameType type = FrameType::announce;
    SwarmHandle handle{};
    SwarmId swarm{};
    std::uint16_t progress = 0;  // permille
    std::uint64_t missing_bytes = 0;
    std::uint8_t neighbours = 0;  // that it has; 255: or more
    bool seed = false;            // it has everything, and stays
    bool preheat = false;         // nobody on the node waits for it
    bool here = false;            // to be tracked here, whoever does otherwise: the agent can't reach that one
    std::string ticket{};         // bytes that the registry gave by HTTP, WireLimits::ticket; empty: none

    bool operator==(const AnnounceFrame&) const noexcept = default;
};
// Tracker: whom to connect to. An address of zeros is that of the tracker's end of the control stream.
struct NeighboursFrame {
    static constexpr FrameType type = FrameType::neighbours;
    SwarmHandle handle{};
    bool replace = false;            // these and no others; otherwise these too
    std::vector<PeerEntry> peers{};  // WireLimits::neighbours

    bool operator==(const NeighboursFrame&) const noexcept = default;
};

struct SwarmProgress {
    SwarmHandle handle{};
    std::uint16_t progress = 0;   // permille
    std::uint8_t neighbours = 0;  // 255: or more
    std::uint8_t idle = 0;        // percent of the time since the last report in which it missed pieces and got none
    // Bytes since the last report.
    std::uint64_t from_origin = 0;
    std::uint64_t from_zone = 0;     // from peers in its own zone
    std::uint64_t across_zones = 0;  // from peers in others
    std::uint64_t uploaded = 0;

    bool operator==(const SwarmProgress&) const noexcept = default;
};
// Agent: how its swarms do; those that changed.
struct ProgressFrame {
    static constexpr FrameType type = FrameType::progress;
    std::vector<SwarmProgress> swarms{};  // WireLimits::progress_items

    bool operator==(const ProgressFrame&) const noexcept = default;
};

enum class RefillReason : std::uint8_t {
    other = 0,  // and whatever a newer sender may say
    few = 1,    // too few answer
    idle = 2,   // they have nothing that it misses
    slow = 3,
    bad_chunks = 4,
};
// Agent: it needs other neighbours.
struct RefillFrame {
    static constexpr FrameType type = FrameType::refill;
    SwarmHandle handle{};
    RefillReason reason{};
    std::vector<NodeId> dropped{};  // whom not to name again; WireLimits::dropped_neighbours

    bool operator==(const RefillFrame&) const noexcept = default;
};
// Agent: it has left the swarm. Tracker: it has to.
struct RetireFrame {
    static constexpr FrameType type = FrameType::retire;
    SwarmHandle handle{};

    bool operator==(const RetireFrame&) const noexcept = default;
};
// Tracker: the agent's right to the swarm, until it expires.
struct TicketFrame {
    static constexpr FrameType type = FrameType::ticket;
    SwarmHandle handle{};
    std::string ticket{};  // bytes, 1 to WireLimits::ticket

    bool operator==(const TicketFrame&) const noexcept = default;
};

enum class RevokedKind : std::uint8_t { swarms = 1, blobs = 2 };
// Tracker: what nobody may be given any more.
struct RevokeFrame {
    static constexpr FrameType type = FrameType::revoke;
    RevokedKind kind = RevokedKind::swarms;
    std::uint64_t epoch = 0;  // tickets of earlier epochs are worth nothing for these
    // The bytes of SwarmId, or of the SHA-256 of blobs; 1 to WireLimits::revoked.
    std::vector<Sha256> ids{};

    bool operator==(const RevokeFrame&) const noexcept = default;
};
// Agent: a peer sent a chunk that is not what the image's hash list says.
struct ReportFrame {
    static constexpr FrameType type = FrameType::report;
    NodeId node{};  // of the peer
    SwarmId swarm{};
    ChunkIndex chunk = 0;
    Sha256 expected{};
    Sha256 found{};

    bool operator==(const ReportFrame&) const noexcept = default;
};

// Tracker: have this image before anybody asks for it.
struct PreheatFrame {
    static constexpr FrameType type = FrameType::preheat;
    std::uint64_t job = 0;
    std::string repository{};  // 1 to WireLimits::repository
    Sha256 manifest{};
    std::uint64_t deadline = 0;          // seconds since 1970; 0: none
    std::uint64_t rate = no_rate_limit;  // bytes per second
    std::uint8_t priority = 0;           // as in REQUEST
    // Later fields: a frame may end before them, and has these values then.
    std::string token{};  // to ask the registry for the image with, as Bearer; WireLimits::token
    bool stop = false;    // nobody wants it any more

    bool operator==(const PreheatFrame&) const noexcept = default;
};
enum class PreheatState : std::uint8_t {
    other = 0,  // and whatever a newer sender may say
    waiting = 1,
    running = 2,
    done = 3,
    failed = 4,
    refused = 5,  // the node does not take it
};
// Agent: how it gets on with a job.
struct PreheatProgressFrame {
    static constexpr FrameType type = FrameType::preheat_progress;
    std::uint64_t job = 0;
    PreheatState state{};
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes_total = 0;  // 0: not known yet
    std::string message{};          // WireLimits::text

    bool operator==(const PreheatProgressFrame&) const noexcept = default;
};

// Tracker, to a node that has all of an image: how many others of its zone have all of it too.
struct HoldersFrame {
    static constexpr FrameType type = FrameType::holders;
    static constexpr std::uint8_t many = 3;  // as many, or more
    SwarmHandle handle{};
    std::uint8_t others = 0;

    bool operator==(const HoldersFrame&) const noexcept = default;
};

// Tracker: another instance of the registry tracks the swarm. The handle has ended.
struct MovedFrame {
    static constexpr FrameType type = FrameType::moved;
    SwarmHandle handle{};
    PeerEndpoint control{};  // where it takes control streams

    bool operator==(const MovedFrame&) const noexcept = default;
};
// Tracker: where control streams may go besides here, in place of all that it named before.
struct InstancesFrame {
    static constexpr FrameType type = FrameType::instances;
    std::vector<PeerEndpoint> others{};  // WireLimits::instances

    bool operator==(const InstancesFrame&) const noexcept = default;
};

using ControlFrame = std::variant<
    RegisterFrame,
    WelcomeFrame,
    LimitsFrame,
    RenewFrame,
    CertificateFrame,
    TicketKeysFrame,
    ByeFrame,
    PingFrame,
    PongFrame,
    AnnounceFrame,
    NeighboursFrame,
    ProgressFrame,
    RefillFrame,
    RetireFrame,
    TicketFrame,
    RevokeFrame,
    ReportFrame,
    PreheatFrame,
    PreheatProgressFrame,
    HoldersFrame,
    MovedFrame,
    InstancesFrame>;

// As for peers. append_frame() of one frame is that of peer_frames.hpp.
void append_frame(std::string& into, const ControlFrame& frame);
Result<std::optional<ControlFrame>> decode_control_frame(const FrameHead& head, std::span<const std::byte> body);

}  // namespace entrepot
