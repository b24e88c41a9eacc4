#include "swarm/ticket/ticket.hpp"

#include "core/bytes.hpp"
#include "core/utf8.hpp"
#include "swarm/wire/field_io.hpp"

#include <string_view>
#include <utility>

namespace entrepot {
namespace {

using namespace std::string_view_literals;

constexpr std::uint8_t version = 1;
constexpr auto domain = "entrepot swarm ticket 1\0"sv;
constexpr std::uint8_t fetch_bit = 1;
constexpr std::uint8_t serve_bit = 2;

// A word of bits or the enumeration that is one, both ways.
template <class Io, class Value>
void word(Io& io, const char* field, Value& value)
{
    auto number = std::to_underlying(value);
    io.number(field, number);
    if constexpr (Io::reads) value = Value{number};
}

// A bit without a name must not be taken for nothing: it may be meant to narrow what the ticket allows.
template <class Io>
void operations(Io& io, typename Io::template Ref<TicketOperations> value)
{
    auto bits = static_cast<std::uint8_t>((value.fetch ? fetch_bit : 0) | (value.serve ? serve_bit : 0));
    io.template number<std::uint8_t>("operations", bits, 1, fetch_bit | serve_bit);
    if constexpr (Io::reads) value = {.fetch = (bits & fetch_bit) != 0, .serve = (bits & serve_bit) != 0};
}

// The one list of fields, which both writes and reads.
template <class Io>
void fields(Io& io, typename Io::template Ref<Ticket> ticket)
{
    auto spoken = version;
    io.number("version", spoken, version, version);
    word(io, "key", ticket.key);
    io.number("epoch", ticket.epoch);
    io.bytes32("swarm", ticket.swarm);
    io.bytes32("manifest", ticket.manifest);
    io.bytes32("node", ticket.node);
    io.number("tenant", ticket.tenant);
    io.number("repository", ticket.repository);
    io.template text<std::uint8_t>("zone", ticket.zone, WireLimits::zone);
    operations(io, ticket.operations);
    io.template number<std::uint64_t>("not before", ticket.not_before, 0, Ticket::last_not_before);
    io.template number<std::uint16_t>("lifetime", ticket.lifetime, 1, Ticket::longest_lifetime);
}

}  // namespace

Result<> check_ticket(const Ticket& ticket)
{
    if (ticket.operations == TicketOperations{}) return fail(Errc::bad_request, "ticket: operations: none");
    if (ticket.lifetime == 0 || ticket.lifetime > Ticket::longest_lifetime)
        return fail(Errc::bad_request, "ticket: lifetime: not between 1 and 600 seconds");
    if (ticket.not_before > Ticket::last_not_before) return fail(Errc::bad_request, "ticket: not before: too large");
    if (ticket.zone.size() > WireLimits::zone || !is_plain_text(ticket.zone))
        return fail(Errc::bad_request, "ticket: zone: too long, or not UTF-8 without control characters");
    return {};
}

std::string encode_ticket_body(const Ticket& ticket)
{
    std::string body;
    FieldWriter writer{body};
    fields(writer, ticket);
    return body;
}

Result<UnverifiedTicket> parse_ticket(std::span<const std::byte> bytes)
{
    if (bytes.size() <= ticket_signature_bytes) return fail(Errc::bad_request, "ticket: signature: cut short");
    UnverifiedTicket read;
    read.body = bytes.first(bytes.size() - ticket_signature_bytes);
    read.signature = bytes.last(ticket_signature_bytes);
    FieldReader reader{read.body};
    fields(reader, read.ticket);
    reader.end("body");
    if (reader.failed()) return std::unexpected{reader.error("ticket")};
    return read;
}

std::string signed_ticket_bytes(std::span<const std::byte> body)
{
    std::string bytes{domain};
    bytes += as_text(body);
    return bytes;
}

}  // namespace entrepot
