#include "api/management/json_append.hpp"

#include "core/json_text.hpp"

#include <charconv>

namespace entrepot {

void append_name(std::string& out, std::string_view name)
{
    if (out.back() != '{') out += ',';
    out.append("\"").append(name).append("\":");
}

void append_field(std::string& out, std::string_view name, std::int64_t number)
{
    append_name(out, name);
    char digits[24];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
    out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view text)
{
    append_name(out, name);
    append_json_text(out, text);
}

void append_flag(std::string& out, std::string_view name, bool flag)
{
    append_name(out, name);
    out += flag ? "true" : "false";
}

void append_time(std::string& out, std::string_view name, Micros time)
{
    append_name(out, name);
    out += '"';
    if (time == 0) {
        out += no_time;
    } else {
        out += rfc3339(time);
    }
    out += '"';
}

}  // namespace entrepot
