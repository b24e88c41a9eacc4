#include "core/percent.hpp"

#include "core/ascii.hpp"

namespace entrepot {

std::string percent_encoded(std::string_view text)
{
    static constexpr std::string_view digits = "0123456789ABCDEF";
    std::string encoded;
    encoded.reserve(text.size());
    for (const char c : text) {
        if (is_letter_or_digit(c) || std::string_view{"-._~"}.contains(c)) {
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

std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space)
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

}  // namespace entrepot
