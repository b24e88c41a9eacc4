#pragma once

#include "swarm/identity/node_identity.hpp"
#include "swarm/ticket/ticket_verifier.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// Where other nodes show their tickets: who has shown which, and whose right has ended since. What was accepted once is
// not checked again before it ends. Memory: some 500 bytes for each ticket that holds. Not safe across threads.
class TicketDesk {
public:
    static constexpr std::size_t reasons = static_cast<std::size_t>(TicketRefusal::missing_operation) + 1;

    // In place of all before. One that is no key is passed over.
    void trust(const std::vector<TicketPublicKey>& keys);
    void revoke(const RevokeFrame& frame, Micros now) { verifier_.revoke(frame, now); }

    // Whether a node may be given what the swarm has: nullopt, or what it is told.
    std::optional<DenyCode>
    refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket, Micros now);

    struct EndedRight {
        NodeId node;
        SwarmId swarm;
        DenyCode why;
    };
    // Those that were accepted and hold no longer; each is named once. Lets go of old revocations, too.
    std::vector<EndedRight> ended(Micros now);
    // Whether a blob may be given because of such a ticket.
    bool covers(const Ticket& ticket, const Sha256& blob) const { return verifier_.covers(ticket, blob); }

    // How many were refused, by TicketRefusal.
    const std::array<std::uint64_t, reasons>& refused() const noexcept { return refused_; }

private:
    struct Accepted {
        std::string bytes;
        Ticket ticket;
    };

    TicketVerifier verifier_;
    std::vector<TicketPublicKey> keys_;
    std::map<std::pair<SwarmId, NodeId>, Accepted> accepted_;
    std::array<std::uint64_t, reasons> refused_{};
};

}  // namespace entrepot
