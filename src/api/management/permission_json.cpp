#include "api/management/permission_json.hpp"

#include <boost/json/object.hpp>

#include <set>
#include <utility>

namespace entrepot {

namespace json = boost::json;

json::array access_json(const PermissionSet& permissions, std::optional<ObjectKind> kind)
{
    json::array access;
    std::set<std::pair<std::string_view, std::string_view>> written;
    const auto rows = all_permissions();
    for (std::uint16_t index = 0; index < rows.size(); ++index) {
        const auto& row = rows[index];
        if (!permissions.has(Permission{index}) || (kind && row.kind != *kind)) continue;
        if (!written.emplace(row.resource, row.action).second) continue;
        access.push_back(json::object{{"resource", row.resource}, {"action", row.action}});
    }
    return access;
}

}  // namespace entrepot
