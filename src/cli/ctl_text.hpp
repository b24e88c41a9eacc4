#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// JSON values as people read them: tables and YAML.

enum class CtlFormat { plain, bytes, count, seconds, access };  // a count below 0 is unlimited

struct CtlColumn {
    std::string_view title;
    std::string_view field;  // dots go into objects: "metadata.public"
    CtlFormat format = CtlFormat::plain;
};

// The value at a dotted path, or null.
const boost::json::value* find_field(const boost::json::object& object, std::string_view path) noexcept;
// Text of a string, number or boolean there; empty when it is absent, null or neither.
std::string field_text(const boost::json::object& object, std::string_view path);
void set_field(boost::json::object& object, std::string_view path, boost::json::value value);

// One cell. Lists are joined by commas, sizes get their unit, times their date; control characters, which a stranger
// may have put into a description, are left out.
std::string cell_text(const boost::json::object& object, const CtlColumn& column);

// Lines of a table. Widths are those of `rows` and of the titles, at least `widths`, which keeps them for what follows.
std::string table_text(
    std::span<const CtlColumn> columns,
    std::span<const boost::json::object> rows,
    bool with_titles,
    std::vector<std::size_t>& widths
);
// One object, a field a line.
std::string card_text(std::span<const CtlColumn> columns, const boost::json::object& object);

// A YAML document without its marker; strings that would read as something else are quoted.
std::string yaml_text(const boost::json::value& value);
// The same as one entry of a sequence, for lists that come page by page.
std::string yaml_entry(const boost::json::value& value);
// Indented JSON with a newline at the end.
std::string pretty_json(const boost::json::value& value, std::size_t indent = 0);

std::string size_text(std::int64_t bytes);                          // "1.5 GiB"; "unlimited" below 0
std::optional<std::int64_t> parse_ctl_size(std::string_view text);  // "10GiB", "500MB", "1024", "unlimited"
// Seconds of "30d", "12h", "90m", "45s"; nothing for anything else.
std::optional<std::int64_t> parse_ctl_duration(std::string_view text);

}  // namespace entrepot
