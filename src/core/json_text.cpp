#include "core/json_text.hpp"

#include "core/utf8.hpp"

namespace entrepot {

void append_json_text(std::string& json, std::string_view text)
{
    constexpr std::string_view digits = "0123456789abcdef";
    json += '"';
    while (!text.empty()) {
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
