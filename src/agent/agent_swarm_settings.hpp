#pragma once

#include "agent/ticket_desk.hpp"
#include "swarm/net/peer_network_counters.hpp"
#include "swarm/peer/swarm_peer.hpp"
#include "swarm/wire/control_frames.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace entrepot {

struct AgentSwarmSettings {
    using Duration = std::chrono::steady_clock::duration;

    std::string registry{};              // where it is asked by HTTP: http or https, without a path
    std::string ca_file{};               // PEM, for that; empty: the system's certificate authorities
    std::filesystem::path directory{};   // for the node's key and certificate; made where it is missing
    std::filesystem::path token_file{};  // what the node is certified for the first time with
    std::string name{};                  // is_node_name()
    std::string zone{};                  // is_zone_name(); empty: not known
    // Where other nodes connect to, and what connections go out from: an address, an interface's name, or nothing.
    std::string binding{};
    std::uint16_t port = 0;            // 0: the kernel's choice
    std::uint64_t up = no_rate_limit;  // bytes a second, to and from other nodes; the tracker may want less
    std::uint64_t down = no_rate_limit;
    std::uint64_t link = 125'000'000;  // bytes a second that the node's network carries
    bool polite = false;               // makes way for others' traffic, also where the tracker wants none of it
    Duration linger = std::chrono::minutes{10};  // how long an image that nobody asks for is offered
    std::size_t most_swarms = 256;               // more: the one that was asked for longest ago is left
    // Between two attempts to be certified: from the first to the longest, each twice the one before.
    Duration first_retry = std::chrono::seconds{1};
    Duration longest_retry = std::chrono::minutes{1};
    // Without a stream to the tracker, until the registry is asked where it is now; then each time twice as long.
    Duration first_search = std::chrono::seconds{20};
    Duration longest_search = std::chrono::minutes{5};
    // Where other instances of the registry are known, until one of them is tried in place of the one that is gone.
    Duration first_other = std::chrono::seconds{3};
    // Streams to the instances that track what the own one doesn't: how many, how long one may take to come up, how
    // long it stays when nothing needs it, and how long an image is tracked at home because it didn't.
    std::size_t most_asides = 8;
    Duration aside_patience = std::chrono::seconds{5};
    Duration aside_linger = std::chrono::minutes{5};
    Duration here_time = std::chrono::minutes{1};
    Duration look_interval = std::chrono::milliseconds{250};  // at what time brings about by itself
    // The registry wants an image here before anybody asks. Called on the swarm's thread; how it gets on is told by
    // AgentSwarm::tell(). Empty: such jobs are refused.
    std::function<void(const PreheatFrame&)> preheat{};
    // The registry has taken an image back: nobody is to be given it on an earlier right. Called likewise.
    std::function<void(const SwarmId&)> revoked{};
    // How many other nodes of the zone have all of a blob; nullopt: nobody knows any more. Called likewise. What was
    // said of an image holds for so long after it was left, or the stream to the tracker was lost.
    std::function<void(const Sha256& blob, std::optional<std::uint32_t> others)> others_hold{};
    Duration remember_others = std::chrono::hours{24};
};

// What an agent's swarm has done since it began.
struct AgentSwarmCounters {
    PeerNetworkCounters network{};
    std::uint64_t swarms = 0;    // that it takes part in now
    std::uint64_t complete = 0;  // of these, those of which all is here
    std::uint64_t streams = 0;   // to trackers that came about
    std::uint64_t asides = 0;    // streams to other instances that there are
    std::uint64_t moved = 0;     // images that a tracker has sent elsewhere
    std::uint64_t here = 0;      // images that were tracked at home because another instance wasn't reached
    std::uint64_t refills = 0;
    std::uint64_t reports = 0;                                         // of other nodes' false chunks
    std::array<std::uint64_t, TicketDesk::reasons> tickets_refused{};  // by TicketRefusal
    std::uint64_t rights_ended = 0;                                    // of nodes that had shown a ticket
    std::uint64_t retired = 0;                                         // swarms that the tracker had us leave
    std::uint64_t revoked = 0;       // swarms that we left because our right was revoked
    std::uint64_t lingered_out = 0;  // swarms that nobody asked for any more, or that had to make room
    std::uint64_t began_again = 0;   // swarms of which something was lost on the disk
    std::uint64_t enrolments = 0;
    std::uint64_t enrolment_failures = 0;
    std::uint64_t renewals = 0;
    std::uint64_t moves = 0;  // to where the registry has its tracker since
    std::uint64_t renewals_refused = 0;
    PeerCounts peers{};                 // of all swarms, also those that were left
    std::uint64_t duplicate_bytes = 0;  // of pieces that came twice, at most
    // Of images that became complete here: what the link would have taken for what was missing, and what it took.
    double bound_seconds = 0;
    double fetch_seconds = 0;
    std::uint64_t rate_up = no_rate_limit;      // bytes a second to other nodes, as it is now
    std::uint64_t rate_down = no_rate_limit;    // and from them
    std::uint64_t rate_across = no_rate_limit;  // both ways, with other zones
    Micros certificate_ends = 0;                // microseconds since 1970; 0: there is none
};

}  // namespace entrepot
