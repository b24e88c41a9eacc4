#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "delivery/swarm_secrets.hpp"
#include "ports/node_catalog.hpp"
#include "swarm/ticket/ticket.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace entrepot {

// What a ticket is for: a swarm, and the repository because of which its node may have the image.
struct TicketSubject {
    SwarmId swarm{};
    Sha256 manifest{};
    std::int64_t tenant_id = 0;
    std::int64_t repository_id = 0;
};

// Tickets for nodes that have a certificate, to fetch and to serve, for ten minutes from now. That somebody may pull
// the image, the caller has checked. Safe from any loop.
class SwarmTickets {
public:
    // What was read of a node counts for so long: a node that was removed may get tickets until then.
    static constexpr std::chrono::seconds node_memory{5};
    static constexpr std::size_t most_remembered = 65'536;

    // `epoch`: of the revocations that are known here; whoever learns of them sets it. It outlives this.
    SwarmTickets(
        NodeCatalog& nodes,
        std::shared_ptr<const SwarmSecrets> secrets,
        const Clock& clock,
        const std::atomic<std::uint64_t>& epoch
    );

    // The ticket's bytes; nullopt for a node without a certificate that is valid now. unavailable, internal.
    Task<std::optional<std::string>> issue(NodeId node, TicketSubject subject);

private:
    struct Remembered {
        std::string zone;
        Micros expires_at = 0;
        std::chrono::steady_clock::time_point since;
    };
    std::optional<Remembered> recall(const NodeId& node);
    void remember(const NodeId& node, Remembered what);

    NodeCatalog& nodes_;
    const std::shared_ptr<const SwarmSecrets> secrets_;
    const Clock& clock_;
    const std::atomic<std::uint64_t>& epoch_;
    std::mutex mutex_;
    std::map<NodeId, Remembered> remembered_;
};

}  // namespace entrepot
