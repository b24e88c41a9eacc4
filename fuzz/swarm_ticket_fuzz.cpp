// Tickets of swarms: what can be read has no other form, what the registry has signed is accepted, and nothing else is,
// however close it comes.
#include "core/bytes.hpp"
#include "swarm/ticket/ticket.hpp"
#include "swarm/ticket/ticket_signer.hpp"
#include "swarm/ticket/ticket_verifier.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

namespace {

using namespace entrepot;
using Input = std::span<const std::byte>;

void demand(bool holds)
{
    if (!holds) std::abort();
}

const TicketSigner& signer()
{
    static constexpr std::array<std::byte, TicketSigner::seed_bytes> seed{};
    static const auto made = TicketSigner::from_seed(seed).value();
    return made;
}

const TicketVerifier& verifier()
{
    static const auto made = [] {
        TicketVerifier fresh;
        demand(fresh.trust(signer().public_key()).has_value());
        return fresh;
    }();
    return made;
}

TicketAsk ask_of(const Ticket& ticket)
{
    return {.node = ticket.node, .swarm = ticket.swarm, .needed = ticket.operations};
}

// Bytes of anybody. The fuzzer does not know the key, so no signature of it is right.
void check_bytes(Input bytes)
{
    auto read = parse_ticket(bytes);
    demand(!verifier().check(bytes, read ? ask_of(read->ticket) : TicketAsk{}, 0).has_value());
    if (!read) {
        demand(read.error().code() == Errc::bad_request);
        return;
    }
    demand(check_ticket(read->ticket).has_value());
    demand(encode_ticket_body(read->ticket) == as_text(read->body));
    demand(bytes.size() <= most_ticket_bytes && read->body.size() + read->signature.size() == bytes.size());

    // The same, signed: now it is accepted, for as long as it says.
    const auto at = read->ticket.begins();
    const auto good = signer().sign(read->ticket).value();
    const auto accepted = verifier().check(as_bytes(good), ask_of(read->ticket), at);
    read->ticket.key = signer().id();
    demand(accepted && *accepted == read->ticket);
    demand(!verifier().check(as_bytes(good), ask_of(read->ticket), read->ticket.ends() + TicketVerifier::clock_skew));
    demand(!verifier().check(as_bytes(good), ask_of(read->ticket), at - TicketVerifier::clock_skew - 1));
}

template <class Value>
void fill(Input& input, Value& value)
{
    const auto size = std::min(sizeof(Value), input.size());
    std::memcpy(&value, input.data(), size);
    input = input.subspan(size);
}

// Fields of any values: signed where a ticket can have them, and then refused with any of its bytes changed.
void check_fields(Input input)
{
    if (input.empty()) return;
    std::uint8_t operations = 0;
    std::uint8_t place = 0;
    std::uint8_t change = 0;
    Ticket ticket;
    fill(input, operations);
    fill(input, place);
    fill(input, change);
    fill(input, ticket.epoch);
    fill(input, ticket.not_before);
    fill(input, ticket.lifetime);
    fill(input, ticket.swarm.bytes);
    fill(input, ticket.node.bytes);
    ticket.operations = {.fetch = (operations & 1U) != 0, .serve = (operations & 2U) != 0};
    ticket.zone = as_text(input);
    const auto made = signer().sign(ticket);
    demand(made.has_value() == check_ticket(ticket).has_value());
    if (!made) return;
    demand(verifier().check(as_bytes(*made), ask_of(ticket), ticket.begins()).has_value());
    if (change == 0) return;
    auto changed = *made;
    auto& byte = changed[place % changed.size()];
    byte = static_cast<char>(byte ^ change);
    demand(!verifier().check(as_bytes(changed), ask_of(ticket), ticket.begins()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = std::as_bytes(std::span{data, size});
    if (input.empty()) return 0;
    if (input.front() == std::byte{0}) {
        check_bytes(input.subspan(1));
    } else {
        check_fields(input.subspan(1));
    }
    return 0;
}
