#pragma once

#include "core/clock.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// Objects written field by field onto the end of a text, for lists whose tree of values would cost more than all the
// rest. A field sees to the comma before it: `out` ends in what opened its object, or in the field before.

void append_name(std::string& out, std::string_view name);  // "name":
void append_field(std::string& out, std::string_view name, std::int64_t number);
void append_field(std::string& out, std::string_view name, std::string_view text);
void append_flag(std::string& out, std::string_view name, bool flag);
// 0 is what Harbor says where there is no time.
void append_time(std::string& out, std::string_view name, Micros time);

inline constexpr std::string_view no_time = "0001-01-01T00:00:00Z";

// [ … ] of what append(out, item) writes for each; `size` is about what it takes.
template <class Items, class Append>
std::string json_list(const Items& items, std::size_t size, Append append)
{
    std::string out;
    out.reserve(size + 2);
    out += '[';
    for (const auto& item : items) {
        if (out.size() > 1) out += ',';
        append(out, item);
    }
    return out += ']';
}

}  // namespace entrepot
