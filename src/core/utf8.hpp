#pragma once

#include <cstddef>
#include <string_view>

namespace entrepot {

inline constexpr char32_t not_utf8 = 0xffff'ffff;

struct CodePoint {
    char32_t value;      // not_utf8 for a byte that starts nothing valid
    std::size_t length;  // bytes it takes, at least 1
};

// The first code point of `text`, which is not empty. Strict: no overlong forms, no surrogates (RFC 3629).
CodePoint next_code_point(std::string_view text) noexcept;

// Valid UTF-8 without control characters.
bool is_plain_text(std::string_view text) noexcept;

}  // namespace entrepot
