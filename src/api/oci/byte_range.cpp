#include "api/oci/byte_range.hpp"

#include "core/ascii.hpp"

namespace entrepot {
namespace {

std::unexpected<Error> unsatisfiable(std::string message)
{
    return fail(Errc::range_invalid, std::move(message));
}

}  // namespace

Result<ChunkRange> parse_chunk_range(std::string_view header)
{
    const auto text = trimmed(header);
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return unsatisfiable("Content-Range is not \"start-end\"");
    const auto first = parse_decimal(text.substr(0, dash));
    const auto last = parse_decimal(text.substr(dash + 1));
    if (!first || !last || *first > *last) return unsatisfiable("Content-Range is not \"start-end\"");
    return ChunkRange{.first = *first, .last = *last};
}

}  // namespace entrepot
