#include "cli/ctl_text.hpp"

#include "core/clock.hpp"
#include "core/utf8.hpp"
#include "oci/json_fields.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace entrepot {
namespace {

namespace json = boost::json;

std::string scalar_text(const json::value& value)
{
    switch (value.kind()) {
        case json::kind::string: return std::string{value.as_string()};
        case json::kind::bool_: return value.as_bool() ? "yes" : "no";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_: return json::serialize(value);
        default: return {};
    }
}

// What names an entry of a list within a cell: a tag, a label, a team.
std::string entry_text(const json::value& value)
{
    const auto* object = value.if_object();
    if (object == nullptr) return scalar_text(value);
    for (const std::string_view name : {"name", "username", "role_name", "child_digest", "digest"}) {
        if (const auto* found = object->if_contains(name)) return scalar_text(*found);
    }
    if (object->contains("resource")) return field_text(*object, "resource") + ":" + field_text(*object, "action");
    return json::serialize(value);
}

std::string printable(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const auto point = next_code_point(text);
        const bool control = point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0);
        if (point.value == '\n' || point.value == '\t')
            out += ' ';
        else if (!control && point.value != not_utf8)
            out += text.substr(0, point.length);
        text.remove_prefix(point.length);
    }
    return out;
}

std::size_t width_of(std::string_view text) noexcept
{
    std::size_t width = 0;
    for (; !text.empty(); ++width) text.remove_prefix(next_code_point(text).length);
    return width;
}

std::string access_text(const json::value& value)
{
    std::string out;
    const auto* entries = value.if_array();
    if (entries == nullptr) return out;
    for (const auto& entry : *entries) {
        const auto* object = entry.if_object();
        if (object == nullptr) continue;
        std::string rights;
        if (const auto* access = find_array(*object, "access")) {
            for (const auto& each : *access) rights += (rights.empty() ? "" : ",") + entry_text(each);
        }
        const auto where = field_text(*object, "namespace");
        out += (out.empty() ? "" : "; ") + field_text(*object, "kind") + " " + where + ": " + rights;
    }
    return out;
}

}  // namespace

const json::value* find_field(const json::object& object, std::string_view path) noexcept
{
    const auto dot = path.find('.');
    const auto* found = object.if_contains(path.substr(0, dot));
    if (found == nullptr || found->is_null()) return nullptr;
    if (dot == path.npos) return found;
    return found->is_object() ? find_field(found->as_object(), path.substr(dot + 1)) : nullptr;
}

std::string field_text(const json::object& object, std::string_view path)
{
    const auto* found = find_field(object, path);
    return found == nullptr ? std::string{} : scalar_text(*found);
}

void set_field(json::object& object, std::string_view path, json::value value)
{
    const auto dot = path.find('.');
    auto& place = object[path.substr(0, dot)];
    if (dot == path.npos) {
        place = std::move(value);
        return;
    }
    if (!place.is_object()) place = json::object{};
    set_field(place.as_object(), path.substr(dot + 1), std::move(value));
}

std::string cell_text(const json::object& object, const CtlColumn& column)
{
    const auto* found = find_field(object, column.field);
    if (found == nullptr) return {};
    if (column.format == CtlFormat::access) return printable(access_text(*found));
    if (found->is_int64() && column.format == CtlFormat::bytes) return size_text(found->as_int64());
    if (found->is_int64() && column.format == CtlFormat::count && found->as_int64() < 0) return "unlimited";
    // What the API has as the time of what never happened.
    if (found->is_string() && found->as_string().starts_with("0001-01-01T")) return "never";
    if (found->is_int64() && column.format == CtlFormat::seconds)
        return found->as_int64() > 0 ? rfc3339(found->as_int64() * 1'000'000) : "never";
    if (const auto* entries = found->if_array()) {
        std::string out;
        for (const auto& entry : *entries) out += (out.empty() ? "" : ",") + entry_text(entry);
        return printable(out);
    }
    return printable(found->is_object() ? json::serialize(*found) : scalar_text(*found));
}

std::string table_text(
    std::span<const CtlColumn> columns,
    std::span<const json::object> rows,
    bool with_titles,
    std::vector<std::size_t>& widths
)
{
    std::vector<std::vector<std::string>> lines;
    if (with_titles) {
        auto& line = lines.emplace_back();
        for (const auto& column : columns) line.emplace_back(column.title);
    }
    for (const auto& row : rows) {
        auto& line = lines.emplace_back();
        for (const auto& column : columns) line.push_back(cell_text(row, column));
    }
    widths.resize(columns.size());
    for (const auto& line : lines) {
        for (std::size_t place = 0; place < line.size(); ++place)
            widths[place] = std::max(widths[place], width_of(line[place]));
    }
    std::string out;
    for (const auto& line : lines) {
        for (std::size_t place = 0; place < line.size(); ++place) {
            out += line[place];
            if (place + 1 < line.size()) out.append(widths[place] - width_of(line[place]) + 2, ' ');
        }
        while (out.ends_with(' ')) out.pop_back();
        out += '\n';
    }
    return out;
}

std::string card_text(std::span<const CtlColumn> columns, const json::object& object)
{
    std::size_t width = 0;
    for (const auto& column : columns) width = std::max(width, column.title.size());
    std::string out;
    for (const auto& column : columns) {
        const auto cell = cell_text(object, column);
        out += fmt::format("{:<{}}{}{}\n", column.title, width, cell.empty() ? "" : "  ", cell);
        while (out.ends_with(" \n")) out.erase(out.size() - 2, 1);
    }
    return out;
}

std::string pretty_json(const json::value& value, std::size_t indent)
{
    const std::string inner(indent + 2, ' ');
    const std::string outer(indent, ' ');
    std::string out;
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
        for (const auto& [name, each] : *object) {
            auto text = pretty_json(each, indent + 2);
            text.pop_back();
            out += (out.empty() ? "{\n" : ",\n") + inner + json::serialize(json::string{name}) + ": " + text;
        }
        return out + "\n" + outer + "}\n";
    }
    if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
        for (const auto& each : *array) {
            auto text = pretty_json(each, indent + 2);
            text.pop_back();
            out += (out.empty() ? "[\n" : ",\n") + inner + text;
        }
        return out + "\n" + outer + "]\n";
    }
    return json::serialize(value) + "\n";
}

std::string size_text(std::int64_t bytes)
{
    constexpr std::array<std::string_view, 6> units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 0) return "unlimited";
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (amount >= 1024 && unit + 1 < units.size()) {
        amount /= 1024;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, units[unit]);
}

std::optional<std::int64_t> parse_ctl_size(std::string_view text)
{
    struct Unit {
        std::string_view name;
        std::int64_t factor;
    };
    constexpr std::int64_t ki = 1024;
    static constexpr std::array<Unit, 10> units{{
        {"", 1},
        {"B", 1},
        {"KiB", ki},
        {"MiB", ki * ki},
        {"GiB", ki * ki * ki},
        {"TiB", ki * ki * ki * ki},
        {"KB", 1000},
        {"MB", 1'000'000},
        {"GB", 1'000'000'000},
        {"TB", 1'000'000'000'000},
    }};
    if (text == "unlimited" || text == "-1") return -1;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    const std::string_view name{end, static_cast<std::size_t>(text.data() + text.size() - end)};
    for (const auto& unit : units) {
        std::int64_t bytes = 0;
        if (unit.name == name && !__builtin_mul_overflow(number, unit.factor, &bytes)) return bytes;
    }
    return std::nullopt;
}

std::optional<std::int64_t> parse_ctl_duration(std::string_view text)
{
    if (text.size() < 2) return std::nullopt;
    std::int64_t factor = 0;
    switch (text.back()) {
        case 's': factor = 1; break;
        case 'm': factor = 60; break;
        case 'h': factor = 3600; break;
        case 'd': factor = 86'400; break;
        default: return std::nullopt;
    }
    text.remove_suffix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number <= 0 || number > 1'000'000'000)
        return std::nullopt;
    return number * factor;
}

}  // namespace entrepot
