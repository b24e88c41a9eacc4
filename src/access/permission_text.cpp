#include "access/permission_text.hpp"

#include <algorithm>

namespace entrepot {

std::string permission_text(const PermissionSet& permissions)
{
    std::string text;
    const auto rows = all_permissions();
    for (std::uint16_t index = 0; index < rows.size(); ++index) {
        if (!permissions.has(Permission{index})) continue;
        const auto& row = rows[index];
        if (!text.empty()) text += ' ';
        text.append(name_of(row.kind)).append("/").append(row.resource).append(":").append(row.action);
    }
    return text;
}

PermissionSet permissions_in(std::string_view text, ObjectKind kind)
{
    PermissionSet permissions;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        auto word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        auto own_kind = std::optional{kind};
        if (const auto slash = word.find('/'); slash != std::string_view::npos) {
            own_kind = object_kind_named(word.substr(0, slash));
            word.remove_prefix(slash + 1);
        }
        const auto colon = word.find(':');
        if (!own_kind || colon == std::string_view::npos) continue;
        const auto permission = find_permission(*own_kind, word.substr(0, colon), word.substr(colon + 1));
        if (permission) permissions.add(*permission);
    }
    return permissions;
}

}  // namespace entrepot
