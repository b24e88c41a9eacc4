#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace entrepot {

// By which of the registry's keys a ticket is signed: the first eight bytes, little-endian, of the SHA-256 of the
// public key.
enum class TicketKeyId : std::uint64_t {};

// What a ticket lets its node do in the swarm.
struct TicketOperations {
    bool fetch = false;  // be given chunks, hashes, manifest and config, and the names of other members
    bool serve = false;  // give them to others, who then take it for a member

    bool operator==(const TicketOperations&) const noexcept = default;
    constexpr bool has(TicketOperations needed) const noexcept
    {
        return (fetch || !needed.fetch) && (serve || !needed.serve);
    }
};

// One node's right to one swarm for some minutes, given by the registry because of one repository. Tenant and
// repository are the catalog's numbers, not names: the same image may be in repositories of two tenants, whose nodes
// then are in one swarm and see each other's tickets.
struct Ticket {
    static constexpr std::uint16_t longest_lifetime = 600;             // seconds
    static constexpr std::uint64_t last_not_before = 253'402'300'799;  // the end of the year 9999

    TicketKeyId key{};
    std::uint64_t epoch = 0;  // of the registry's revocations when it was signed
    SwarmId swarm{};
    Sha256 manifest{};
    NodeId node{};
    std::uint64_t tenant = 0;
    std::uint64_t repository = 0;
    std::string zone{};  // the node's, as the registry knows it; WireLimits::zone, empty: unknown
    TicketOperations operations{};
    std::uint64_t not_before = 0;  // seconds since 1970
    std::uint16_t lifetime = 0;    // seconds, 1 to longest_lifetime

    bool operator==(const Ticket&) const = default;
    Micros begins() const noexcept { return static_cast<Micros>(not_before) * 1'000'000; }
    Micros ends() const noexcept { return begins() + Micros{lifetime} * 1'000'000; }  // no longer valid then
};

// A ticket as it came: nothing in it is believed before its signature has been checked. The spans are into the bytes
// that it was read from.
struct UnverifiedTicket {
    Ticket ticket;
    std::span<const std::byte> body;
    std::span<const std::byte> signature;
};

inline constexpr std::size_t ticket_signature_bytes = 64;
inline constexpr std::size_t most_ticket_bytes = 1 + 8 + 8 + 3 * 32 + 2 * 8 + 1 + WireLimits::zone + 1 + 8 + 2 + 64;
static_assert(most_ticket_bytes <= WireLimits::ticket);

// bad_request: no operation, a lifetime or a beginning out of bounds, a zone that is too long or no plain text.
Result<> check_ticket(const Ticket& ticket);

// The body of a ticket that check_ticket() has passed, and all of it but the signature: docs/formats/swarm-ticket.md.
std::string encode_ticket_body(const Ticket& ticket);
// bad_request for any bytes but those of a body and 64 more.
Result<UnverifiedTicket> parse_ticket(std::span<const std::byte> bytes);

// What is signed: the body behind a text that no other signature of the same key begins with.
std::string signed_ticket_bytes(std::span<const std::byte> body);

}  // namespace entrepot
