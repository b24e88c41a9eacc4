#include "agent/bundle_answer.hpp"

#include "core/bytes.hpp"

#include <cstdint>

namespace entrepot {

Result<BundleAnswer> read_bundle(unsigned status, std::string_view ticket, std::string_view body)
{
    BundleAnswer answer{.status = status};
    if (!ticket.empty()) {
        const auto bytes = from_base64url(ticket);
        if (!bytes) return fail(Errc::bad_request, "a ticket that is no base64url");
        answer.ticket = *bytes;
    }
    if (status != 200) return answer;
    constexpr std::size_t length_bytes = 4;
    const auto bytes = as_bytes(body);
    if (bytes.size() < length_bytes) return fail(Errc::bad_request, "a bundle without a descriptor");
    std::uint64_t length = 0;
    for (std::size_t at = length_bytes; at-- > 0;) length = (length << 8U) | std::to_integer<std::uint64_t>(bytes[at]);
    if (length > bytes.size() - length_bytes) return fail(Errc::bad_request, "a bundle that ends in its descriptor");
    answer.descriptor = body.substr(length_bytes, length);
    answer.hashes = body.substr(length_bytes + length);
    return answer;
}

}  // namespace entrepot
