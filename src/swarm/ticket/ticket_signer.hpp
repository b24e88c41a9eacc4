#pragma once

#include "core/error.hpp"
#include "core/random.hpp"
#include "swarm/crypto/openssl_handles.hpp"
#include "swarm/ticket/ticket.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace entrepot {

TicketKeyId id_of(const TicketPublicKey& key);

// The registry's Ed25519 key for tickets, for nothing else. The private part is OpenSSL's, who wipes it. Immutable;
// safe from any thread.
class TicketSigner {
public:
    static constexpr std::size_t seed_bytes = 32;

    static Result<TicketSigner> generate(Random& random);  // internal
    // What seed() gave. corrupt: not 32 bytes.
    static Result<TicketSigner> from_seed(std::span<const std::byte> seed);

    // The private key: to be sealed at once and wiped, never logged. internal.
    Result<std::string> seed() const;
    const TicketPublicKey& public_key() const noexcept { return public_key_; }
    TicketKeyId id() const noexcept { return id_; }

    // The ticket's bytes, signed, with this key's id in place of its own. bad_request as check_ticket() has it;
    // internal.
    Result<std::string> sign(Ticket ticket) const;

private:
    TicketSigner(SharedKey key, const TicketPublicKey& public_key);

    SharedKey key_;
    TicketPublicKey public_key_;
    TicketKeyId id_;
};

}  // namespace entrepot
