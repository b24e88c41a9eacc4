#include "swarm/ticket/ticket_verifier.hpp"

#include "core/bytes.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace entrepot {
namespace {

std::unexpected<Error> refuse(TicketRefusal why)
{
    return fail(Errc::denied, "the ticket is not accepted", std::string{name_of(why)});
}

const unsigned char* octets(std::span<const std::byte> bytes) noexcept
{
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string_view name_of(TicketRefusal refusal) noexcept
{
    switch (refusal) {
        case TicketRefusal::malformed: return "malformed";
        case TicketRefusal::unknown_key: return "unknown_key";
        case TicketRefusal::bad_signature: return "bad_signature";
        case TicketRefusal::other_node: return "other_node";
        case TicketRefusal::other_swarm: return "other_swarm";
        case TicketRefusal::not_yet_valid: return "not_yet_valid";
        case TicketRefusal::expired: return "expired";
        case TicketRefusal::revoked: return "revoked";
        case TicketRefusal::missing_operation: return "missing_operation";
    }
    return "malformed";
}

Result<> TicketVerifier::trust(const TicketPublicKey& key)
{
    const auto id = id_of(key);
    if (const auto known = keys_.find(id); known != keys_.end()) {
        if (known->second.bytes == key) return {};
        return fail(Errc::conflict, "two ticket keys have one id");
    }
    SharedKey handle{
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.bytes.data(), key.bytes.size()), EVP_PKEY_free
    };
    if (!handle) return fail(Errc::bad_request, "not a ticket key", openssl_reason());
    keys_.emplace(id, TrustedKey{key, std::move(handle)});
    return {};
}

void TicketVerifier::distrust(TicketKeyId key)
{
    keys_.erase(key);
}

void TicketVerifier::require_epoch(std::uint64_t epoch) noexcept
{
    least_epoch_ = std::max(least_epoch_, epoch);
}

void TicketVerifier::revoke(const RevokeFrame& frame, Micros now)
{
    auto& revocations = frame.kind == RevokedKind::swarms ? swarms_ : blobs_;
    for (const auto& id : frame.ids) {
        auto& known = revocations.try_emplace(id, Revocation{frame.epoch, now}).first->second;
        known = {std::max(known.epoch, frame.epoch), std::max(known.at, now)};
    }
}

void TicketVerifier::forget(Micros now)
{
    const auto old = [now](const auto& entry) { return entry.second.at < now - revocation_memory; };
    std::erase_if(swarms_, old);
    std::erase_if(blobs_, old);
}

bool TicketVerifier::is_signed(const UnverifiedTicket& ticket, EVP_PKEY& key) const
{
    const auto what = signed_ticket_bytes(ticket.body);
    const DigestContext context{EVP_MD_CTX_new()};
    const bool good =
        context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, &key) == 1 &&
        EVP_DigestVerify(
            context.get(), octets(ticket.signature), ticket.signature.size(), octets(as_bytes(what)), what.size()
        ) == 1;
    if (!good) forget_openssl_errors();
    return good;
}

Result<Ticket> TicketVerifier::check(std::span<const std::byte> bytes, const TicketAsk& ask, Micros now) const
{
    auto read = parse_ticket(bytes);
    if (!read) return refuse(TicketRefusal::malformed);
    const auto key = keys_.find(read->ticket.key);
    if (key == keys_.end()) return refuse(TicketRefusal::unknown_key);
    if (!is_signed(*read, *key->second.key)) return refuse(TicketRefusal::bad_signature);
    if (read->ticket.node != ask.node) return refuse(TicketRefusal::other_node);
    if (read->ticket.swarm != ask.swarm) return refuse(TicketRefusal::other_swarm);
    if (now < read->ticket.begins() - clock_skew) return refuse(TicketRefusal::not_yet_valid);
    CHECK(still_holds(read->ticket, now));
    if (!read->ticket.operations.has(ask.needed)) return refuse(TicketRefusal::missing_operation);
    return std::move(read->ticket);
}

Result<> TicketVerifier::still_holds(const Ticket& ticket, Micros now) const
{
    if (!keys_.contains(ticket.key)) return refuse(TicketRefusal::unknown_key);
    if (now >= ticket.ends() + clock_skew) return refuse(TicketRefusal::expired);
    if (is_revoked(ticket)) return refuse(TicketRefusal::revoked);
    return {};
}

bool TicketVerifier::covers(const Ticket& ticket, const Sha256& blob) const
{
    return !is_revoked(ticket) && !is_in(blobs_, blob, ticket.epoch);
}

bool TicketVerifier::is_in(const Revocations& revocations, const Sha256& id, std::uint64_t epoch)
{
    const auto found = revocations.find(id);
    return found != revocations.end() && epoch < found->second.epoch;
}

bool TicketVerifier::is_revoked(const Ticket& ticket) const
{
    return ticket.epoch < least_epoch_ || is_in(swarms_, Sha256{ticket.swarm.bytes}, ticket.epoch) ||
           is_in(blobs_, ticket.manifest, ticket.epoch);
}

}  // namespace entrepot
