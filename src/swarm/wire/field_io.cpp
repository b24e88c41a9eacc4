#include "swarm/wire/field_io.hpp"

#include "core/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

namespace entrepot {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::uint8_t family_v4 = 4;
constexpr std::uint8_t family_v6 = 6;

}  // namespace

bool PeerEndpoint::is_v4() const noexcept
{
    return std::equal(v4_prefix.begin(), v4_prefix.end(), address.begin());
}

bool PeerEndpoint::has_address() const noexcept
{
    const auto first = address.begin() + (is_v4() ? v4_prefix.size() : 0);
    return std::any_of(first, address.end(), [](std::uint8_t octet) { return octet != 0; });
}

std::string wire_text(std::string_view text, std::size_t most)
{
    std::string plain;
    while (!text.empty()) {
        const auto length = next_code_point(text).length;
        const auto one = text.substr(0, length);
        const auto shown = is_plain_text(one) ? one : std::string_view{"?"};
        if (shown.size() > most - plain.size()) break;
        plain += shown;
        text.remove_prefix(length);
    }
    return plain;
}

void FieldWriter::endpoint(const char*, const PeerEndpoint& value, [[maybe_unused]] bool may_be_none)
{
    assert(may_be_none || value.port != 0);
    const bool v4 = value.is_v4();
    put(v4 ? family_v4 : family_v6);
    const std::size_t skipped = v4 ? v4_prefix.size() : 0;
    into_.append(reinterpret_cast<const char*>(value.address.data()) + skipped, value.address.size() - skipped);
    put(value.port);
}

void FieldReader::endpoint(const char* field, PeerEndpoint& value, bool may_be_none) noexcept
{
    std::uint8_t family = 0;
    number(field, family);
    require(field, family == family_v4 || family == family_v6, "of an unknown family");
    const std::size_t skipped = family == family_v4 ? v4_prefix.size() : 0;
    const std::size_t size = value.address.size() - skipped;
    const auto* from = take(field, size);
    if (from == nullptr) return;
    std::copy_n(v4_prefix.begin(), skipped, value.address.begin());
    copy(from, size, value.address.data() + skipped);
    number(field, value.port);
    require(field, may_be_none || value.port != 0, "has no port");
}

void FieldReader::copy(const std::byte* from, std::size_t size, std::uint8_t* into) noexcept
{
    std::memcpy(into, from, size);
}

void FieldReader::require_plain(const char* field, std::string_view text) noexcept
{
    require(field, failed() || is_plain_text(text), "not UTF-8 without control characters");
}

Error FieldReader::error(std::string_view what) const
{
    return Error{Errc::bad_request, fmt::format("{}: {}: {}", what, field_, why_)};
}

}  // namespace entrepot
