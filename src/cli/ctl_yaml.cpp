#include "cli/ctl_text.hpp"

#include "core/ascii.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace entrepot {
namespace {

namespace json = boost::json;

bool is_word(char byte) noexcept
{
    return is_letter_or_digit(byte) || std::string_view{"_-./$+@"}.contains(byte);
}

// What a YAML reader of any version takes for a string and nothing else.
bool is_plain(std::string_view text)
{
    constexpr std::array<std::string_view, 12> others{
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "y",
        "n",
        "~",
        ".inf",
        ".nan",
    };
    const auto begins_well = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '/' || byte == '_';
    };
    if (text.empty() || !begins_well(text.front()) || text.back() == ' ') return false;
    const bool words = std::all_of(text.begin(), text.end(), [](char byte) { return is_word(byte) || byte == ' '; });
    // A colon is harmless before anything but a space: "repository:pull", "2026-11-21T22:51:00Z".
    const bool colons = std::all_of(text.begin(), text.end(), [](char byte) { return is_word(byte) || byte == ':'; });
    if ((!words && !colons) || text.back() == ':') return false;
    return std::find(others.begin(), others.end(), lowered(text)) == others.end();
}

std::string scalar(const json::value& value)
{
    if (value.is_string() && is_plain(value.as_string())) return std::string{value.as_string()};
    return json::serialize(value);  // JSON's scalars, {} and [] are YAML's
}

bool is_block(const json::value& value)
{
    return (value.is_object() && !value.as_object().empty()) || (value.is_array() && !value.as_array().empty());
}

void write(std::string& out, const json::value& value, std::size_t indent);

void write_entries(std::string& out, const json::array& array, std::size_t indent)
{
    for (const auto& each : array) {
        out.append(indent, ' ');
        out += "- ";
        if (!is_block(each)) {
            out += scalar(each) + "\n";
            continue;
        }
        std::string inner;
        write(inner, each, indent + 2);
        out += inner.substr(indent + 2);
    }
}

void write(std::string& out, const json::value& value, std::size_t indent)
{
    if (const auto* array = value.if_array()) return write_entries(out, *array, indent);
    for (const auto& [name, each] : value.as_object()) {
        out.append(indent, ' ');
        out += scalar(json::string{name}) + ":";
        if (is_block(each)) {
            out += "\n";
            write(out, each, indent + 2);
        } else {
            out += " " + scalar(each) + "\n";
        }
    }
}

}  // namespace

std::string yaml_text(const json::value& value)
{
    if (!is_block(value)) return scalar(value) + "\n";
    std::string out;
    write(out, value, 0);
    return out;
}

std::string yaml_entry(const json::value& value)
{
    return yaml_text(json::array{value});
}

}  // namespace entrepot
