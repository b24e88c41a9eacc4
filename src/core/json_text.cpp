#include "core/json_text.hpp"

#include "core/utf8.hpp"

#include <algorithm>

namespace entrepot {
namespace {

bool stands_for_itself(char c) noexcept
{
    return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
}

}  // namespace

void append_json_text(std::string& json, std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    json += '"';
    while (true) {
        const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, stands_for_itself) - text.begin());
        json += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const auto point = next_code_point(text);
        const auto bytes = text.substr(0, point.length);
        text.remove_prefix(point.length);
        if (point.value == not_utf8) {
            json += "\xef\xbf\xbd";
        } else if (point.value < 0x20 || point.value == 0x7f) {
            json += "\\u00";
            json += digits[(point.value >> 4U) & 15U];
            json += digits[point.value & 15U];
        } else {
            if (point.value == '"' || point.value == '\\') json += '\\';
            json += bytes;
        }
    }
    json += '"';
}

}  // namespace entrepot
