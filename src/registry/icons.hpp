#pragma once

#include <string>
#include <string_view>

namespace entrepot {

// The pictures of the kinds of artifacts, drawn here: artifacts that bring none of their own show these.
struct BuiltinIcon {
    std::string digest;
    std::string svg;
};

const BuiltinIcon& builtin_icon(std::string_view artifact_type);
const BuiltinIcon* find_builtin_icon(std::string_view digest);  // null when it is none of them

}  // namespace entrepot
