#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

// Letters, digits and words of protocol text: ASCII alone, whatever the locale.
namespace entrepot {

constexpr char lower(char c) noexcept
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

constexpr bool is_letter_or_digit(char c) noexcept
{
    const char small = lower(c);
    return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9');
}

// A token of HTTP's grammar (RFC 9110 section 5.6.2): methods, field names, the halves of a media type.
constexpr bool is_token(std::string_view text) noexcept
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    for (const char c : text) {
        if (!is_letter_or_digit(c) && !marks.contains(c)) return false;
    }
    return !text.empty();
}

// The text with its letters in lower case.
inline std::string lowered(std::string_view text)
{
    std::string copy{text};
    for (char& c : copy) c = lower(c);
    return copy;
}

// Whether both are the same but for the case of letters.
constexpr bool same_word(std::string_view left, std::string_view right) noexcept
{
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
        if (lower(left[i]) != lower(right[i])) return false;
    }
    return true;
}

constexpr bool is_blank(char c) noexcept
{
    return c == ' ' || c == '\t';
}

constexpr std::string_view trimmed(std::string_view text) noexcept
{
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char c) noexcept
{
    if (c >= '0' && c <= '9') return c - '0';
    const char small = lower(c);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

// Digits only; nullopt when empty, malformed or beyond 63 bits.
constexpr std::optional<std::uint64_t> parse_decimal(std::string_view text) noexcept
{
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        const auto digit = static_cast<std::uint64_t>(c - '0');
        if (value > (most - digit) / 10) return std::nullopt;
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace entrepot
