#include "core/utf8.hpp"

namespace entrepot {

CodePoint next_code_point(std::string_view text) noexcept
{
    constexpr CodePoint broken{not_utf8, 1};
    const auto first = static_cast<unsigned char>(text.front());
    if (first < 0x80) return {first, 1};
    if (first < 0xc2 || first > 0xf4) return broken;
    const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (text.size() < length) return broken;
    char32_t value = first & (0x7fU >> length);
    for (std::size_t at = 1; at < length; ++at) {
        const auto next = static_cast<unsigned char>(text[at]);
        if ((next & 0xc0U) != 0x80) return broken;
        value = value << 6U | (next & 0x3fU);
    }
    constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[length] || value > 0x10ffff || surrogate) return broken;
    return {value, length};
}

bool is_plain_text(std::string_view text) noexcept
{
    while (!text.empty()) {
        const auto [value, length] = next_code_point(text);
        if (value == not_utf8 || value < 0x20 || value == 0x7f) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace entrepot
