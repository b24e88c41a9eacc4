#include "core/ascii.hpp"
#include "http/message.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t most_fields = 256;

bool is_unreserved(char c) noexcept
{
    const char small = lower(c);
    return (small >= 'a' && small <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            decoded += ' ';
        } else if (text[i] != '%') {
            decoded += text[i];
        } else {
            if (text.size() - i < 3) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            decoded += static_cast<char>(high * 16 + low);
            i += 2;
        }
    }
    return decoded;
}

std::string percent_encode(std::string_view text)
{
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c)) {
            encoded += c;
            continue;
        }
        const auto code = static_cast<unsigned char>(c);
        encoded += '%';
        encoded += digits[code >> 4];
        encoded += digits[code & 15];
    }
    return encoded;
}

std::optional<std::vector<FormField>> parse_form(std::string_view text)
{
    std::vector<FormField> fields;
    while (!text.empty()) {
        const auto stop = std::min(text.find('&'), text.size());
        const auto pair = text.substr(0, stop);
        text.remove_prefix(std::min(stop + 1, text.size()));
        if (pair.empty()) continue;
        if (fields.size() == most_fields) return std::nullopt;
        const auto equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(pair.substr(0, equals), true);
        auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
        if (!name || !value) return std::nullopt;
        fields.push_back({std::move(*name), std::move(*value)});
    }
    return fields;
}

}  // namespace entrepot
