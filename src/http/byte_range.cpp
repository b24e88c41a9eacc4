#include "http/byte_range.hpp"

#include "core/ascii.hpp"

#include <algorithm>

namespace entrepot {
namespace {

std::unexpected<Error> unsatisfiable(std::string message)
{
    return fail(Errc::range_invalid, std::move(message));
}

// To the end, where nothing is said or more than any body has (RFC 9110 section 14.1.2).
std::optional<std::uint64_t> last_position(std::string_view text)
{
    const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (text.empty() || (digits && !parse_decimal(text))) return UINT64_MAX;
    return parse_decimal(text);
}

}  // namespace

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size)
{
    const auto equals = header.find('=');
    if (equals == std::string_view::npos || !same_word(trimmed(header.substr(0, equals)), "bytes")) {
        return std::optional<ByteRange>{};
    }
    const auto spec = trimmed(header.substr(equals + 1));
    if (spec.find(',') != std::string_view::npos) return std::optional<ByteRange>{};
    const auto dash = spec.find('-');
    if (dash == std::string_view::npos) return unsatisfiable("the range is malformed");

    if (dash == 0) {
        const auto suffix = parse_decimal(spec.substr(1));
        if (!suffix) return unsatisfiable("the range is malformed");
        const auto length = std::min(*suffix, size);
        if (length == 0) return unsatisfiable("the range holds no byte");
        return std::optional{ByteRange{.offset = size - length, .length = length}};
    }
    const auto first = parse_decimal(spec.substr(0, dash));
    const auto end_text = spec.substr(dash + 1);
    const auto last = last_position(end_text);
    if (!first || !last || *first > *last) return unsatisfiable("the range is malformed");
    if (*first >= size) return unsatisfiable("the range starts after the end");
    return std::optional{ByteRange{.offset = *first, .length = std::min(*last, size - 1) - *first + 1}};
}

}  // namespace entrepot
