#include "agent/ticket_desk.hpp"

#include "core/bytes.hpp"
#include "core/log.hpp"

#include <algorithm>

namespace entrepot {

namespace {

TicketRefusal reason_of(const Error& error) noexcept
{
    for (std::size_t at = 0; at < TicketDesk::reasons; ++at) {
        const auto reason = static_cast<TicketRefusal>(at);
        if (name_of(reason) == error.detail()) return reason;
    }
    return TicketRefusal::malformed;
}

// Of a ticket that was accepted: its node may know.
DenyCode code_of(const Error& error) noexcept
{
    switch (reason_of(error)) {
        case TicketRefusal::expired: return DenyCode::expired;
        case TicketRefusal::revoked: return DenyCode::revoked;
        default: return ticket_denial;
    }
}

}  // namespace

void TicketDesk::trust(const std::vector<TicketPublicKey>& keys)
{
    for (const auto& key : keys_) {
        if (std::ranges::find(keys, key) == keys.end()) verifier_.distrust(id_of(key));
    }
    for (const auto& key : keys) {
        if (const auto trusted = verifier_.trust(key); !trusted)
            log::failure(log::Level::warning, "taking the registry's key for tickets", trusted.error());
    }
    keys_ = keys;
}

std::optional<DenyCode>
TicketDesk::refusal(const NodeIdentity& peer, const SwarmId& swarm, std::string_view ticket, Micros now)
{
    const std::pair place{swarm, peer.id};
    const auto known = accepted_.find(place);
    if (known != accepted_.end() && known->second.bytes == ticket && verifier_.still_holds(known->second.ticket, now))
        return std::nullopt;
    const TicketAsk ask{.node = peer.id, .swarm = swarm, .needed = {.fetch = true, .serve = false}};
    auto checked = verifier_.check(as_bytes(ticket), ask, now);
    if (!checked) {
        ++refused_[static_cast<std::size_t>(reason_of(checked.error()))];
        log::debug("a node's ticket is refused", {{"node", peer.name}, {"why", checked.error().detail()}});
        return ticket_denial;
    }
    accepted_.insert_or_assign(place, Accepted{.bytes = std::string{ticket}, .ticket = *std::move(checked)});
    return std::nullopt;
}

std::vector<TicketDesk::EndedRight> TicketDesk::ended(Micros now)
{
    std::vector<EndedRight> all;
    std::erase_if(accepted_, [&](const auto& entry) {
        const auto holds = verifier_.still_holds(entry.second.ticket, now);
        if (!holds)
            all.push_back({.node = entry.first.second, .swarm = entry.first.first, .why = code_of(holds.error())});
        return !holds;
    });
    verifier_.forget(now);
    return all;
}

}  // namespace entrepot
