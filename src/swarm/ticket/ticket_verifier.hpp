#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/crypto/openssl_handles.hpp"
#include "swarm/ticket/ticket.hpp"
#include "swarm/ticket/ticket_signer.hpp"
#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/peer_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>

namespace entrepot {

// Why a ticket is not accepted: for the log and for counters, never for the peer.
enum class TicketRefusal : std::uint8_t {
    malformed,
    unknown_key,
    bad_signature,
    other_node,
    other_swarm,
    not_yet_valid,
    expired,
    revoked,
    missing_operation,
};
// "bad_signature".
std::string_view name_of(TicketRefusal refusal) noexcept;

// The one answer to a JOIN whose ticket is refused, whatever the reason, also where nothing of the swarm is here: an
// answer that differs would tell strangers which images a node has.
inline constexpr DenyCode ticket_denial = DenyCode::ticket;

// What a ticket is asked for.
struct TicketAsk {
    NodeId node;    // of the certificate of who shows it
    SwarmId swarm;  // of the JOIN that it came in
    TicketOperations needed;
};

// Tells tickets of the registry from all else, without asking it. Checking a signature takes one or two tenths of a
// millisecond, so a connection keeps what check() gave and asks still_holds() from then on. Grows with the revocations
// of the last quarter of an hour, about 100 bytes each. The const functions are safe from any thread while nobody calls
// the others; copies share the keys.
class TicketVerifier {
public:
    // How far a node's clock may be from the registry's, in either direction.
    static constexpr Micros clock_skew = 60LL * 1'000'000;
    // When no ticket can be left that is older than a revocation: the longest lifetime, the skew on both sides, and
    // three minutes for registries that hear of it late.
    static constexpr Micros revocation_memory = 15LL * 60 * 1'000'000;

    // Keys rotate: a new one is made known before it signs, an old one goes ten minutes after it last did, a stolen one
    // at once. bad_request: not an Ed25519 key; conflict: another key has its id.
    Result<> trust(const TicketPublicKey& key);
    void distrust(TicketKeyId key);

    // Tickets of earlier epochs are revoked, whatever they are for. Never goes back.
    void require_epoch(std::uint64_t epoch) noexcept;
    // As the tracker says (docs/formats/swarm-wire.md, REVOKE): tickets of epochs before the frame's are worth nothing
    // for these swarms, or blobs. `now` is for forget().
    void revoke(const RevokeFrame& frame, Micros now);
    // Lets go of revocations that are older than revocation_memory.
    void forget(Micros now);

    // Errc::denied with the name of the TicketRefusal as its detail. The signature is checked before anything that the
    // ticket says counts; whether the swarm is here at all is to be looked at only afterwards.
    Result<Ticket> check(std::span<const std::byte> bytes, const TicketAsk& ask, Micros now) const;
    // Whether a ticket that check() gave is worth anything still: unknown_key, expired or revoked.
    Result<> still_holds(const Ticket& ticket, Micros now) const;
    // Whether it is worth something for this blob of its swarm's image. That the image has it, the descriptor says.
    bool covers(const Ticket& ticket, const Sha256& blob) const;

private:
    struct Revocation {
        std::uint64_t epoch;  // tickets of earlier ones are revoked
        Micros at;
    };
    using Revocations = std::map<Sha256, Revocation>;

    static bool is_in(const Revocations& revocations, const Sha256& id, std::uint64_t epoch);
    bool is_revoked(const Ticket& ticket) const;
    bool is_signed(const UnverifiedTicket& ticket, EVP_PKEY& key) const;

    struct TrustedKey {
        TicketPublicKey bytes;
        SharedKey key;
    };
    std::map<TicketKeyId, TrustedKey> keys_;
    std::uint64_t least_epoch_ = 0;
    Revocations swarms_;
    Revocations blobs_;
};

}  // namespace entrepot
