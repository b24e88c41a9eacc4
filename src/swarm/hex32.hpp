#pragma once

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "swarm/wire/wire_values.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// 64 lower-case hexadecimal digits, as HTTP, JSON and the catalogs have these values.
template <class Kind>
std::string hex_of(const Bytes32<Kind>& value)
{
    return to_hex(std::as_bytes(std::span{value.bytes}));
}

// nullopt for any other text than hex_of() gives.
template <class Value>
std::optional<Value> parse_hex32(std::string_view text) noexcept
{
    Value value;
    if (text.size() != 2 * value.bytes.size()) return std::nullopt;
    for (std::size_t i = 0; i < value.bytes.size(); ++i) {
        const char high = text[2 * i];
        const char low = text[2 * i + 1];
        const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
        if (!is_digit(high) || !is_digit(low)) return std::nullopt;
        value.bytes[i] = static_cast<std::uint8_t>(hex_value(high) << 4 | hex_value(low));
    }
    return value;
}

}  // namespace entrepot
