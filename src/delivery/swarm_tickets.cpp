#include "delivery/swarm_tickets.hpp"

#include "swarm/hex32.hpp"

#include <utility>

namespace entrepot {

SwarmTickets::SwarmTickets(
    NodeCatalog& nodes,
    std::shared_ptr<const SwarmSecrets> secrets,
    const Clock& clock,
    const std::atomic<std::uint64_t>& epoch
)
    : nodes_{nodes}, secrets_{std::move(secrets)}, clock_{clock}, epoch_{epoch}
{
}

Task<std::optional<std::string>> SwarmTickets::issue(NodeId node, TicketSubject subject)
{
    // Before the node is looked up: a revocation that comes meanwhile is not this ticket's.
    const auto epoch = epoch_.load();
    auto known = recall(node);
    if (!known) {
        auto entry = co_await nodes_.node(hex_of(node));
        if (!entry && entry.error().code() == Errc::not_found) co_return std::nullopt;
        if (!entry) co_return std::unexpected{std::move(entry).error()};
        known = Remembered{.zone = entry->zone, .expires_at = entry->expires_at, .since = clock_.steady()};
        remember(node, *known);
    }
    const auto now = clock_.now();
    if (known->expires_at <= now) co_return std::nullopt;
    Ticket ticket;
    ticket.epoch = epoch;
    ticket.swarm = subject.swarm;
    ticket.manifest = subject.manifest;
    ticket.node = node;
    ticket.tenant = static_cast<std::uint64_t>(subject.tenant_id);
    ticket.repository = static_cast<std::uint64_t>(subject.repository_id);
    ticket.zone = std::move(known->zone);
    ticket.operations = {.fetch = true, .serve = true};
    ticket.not_before = static_cast<std::uint64_t>(now / 1'000'000);
    ticket.lifetime = Ticket::longest_lifetime;
    CO_TRY(auto bytes, secrets_->signer().sign(std::move(ticket)));
    co_return std::optional{std::move(bytes)};
}

std::optional<SwarmTickets::Remembered> SwarmTickets::recall(const NodeId& node)
{
    const std::lock_guard guard{mutex_};
    const auto found = remembered_.find(node);
    if (found == remembered_.end() || clock_.steady() - found->second.since >= node_memory) return std::nullopt;
    // One whose certificate has ended may have another by now.
    if (found->second.expires_at <= clock_.now()) return std::nullopt;
    return found->second;
}

void SwarmTickets::remember(const NodeId& node, Remembered what)
{
    const std::lock_guard guard{mutex_};
    if (remembered_.size() >= most_remembered) {
        std::erase_if(remembered_, [&](const auto& entry) { return what.since - entry.second.since >= node_memory; });
        if (remembered_.size() >= most_remembered) remembered_.clear();
    }
    remembered_.insert_or_assign(node, std::move(what));
}

}  // namespace entrepot
