#include "api/management/robot_json.hpp"

#include "api/management/permission_json.hpp"

#include <boost/json/array.hpp>

namespace entrepot {
namespace {

namespace json = boost::json;

// What a right on the platform says of tenants or projects, and a tenant's of projects, holds for all of them.
std::string_view namespace_of(const RobotRight& right, ObjectKind kind) noexcept
{
    if (kind == ObjectKind::platform) return "/";
    return right.kind == kind ? std::string_view{right.object_name} : "*";
}

// Harbor's clients know an object of access by its kind, so a right is written once for each.
json::array permissions_json(const Robot& robot)
{
    static constexpr std::pair<ObjectKind, std::string_view> kinds[] = {
        {ObjectKind::platform, "system"}, {ObjectKind::tenant, "tenant"}, {ObjectKind::project, "project"}
    };
    json::array permissions;
    for (const auto& right : robot.rights) {
        for (const auto& [kind, word] : kinds) {
            auto access = access_json(right.permissions, kind);
            if (access.empty()) continue;
            permissions.push_back(
                json::object{{"kind", word}, {"namespace", namespace_of(right, kind)}, {"access", std::move(access)}}
            );
        }
    }
    return permissions;
}

json::array grantable(ObjectKind kind)
{
    PermissionSet all;
    for (std::uint16_t index = 0; index < all_permissions().size(); ++index) {
        if (robots_may_have(Permission{index})) all.add(Permission{index});
    }
    return access_json(all, kind);
}

}  // namespace

std::int64_t robot_expiry(const Robot& robot) noexcept
{
    return robot.expires_at == 0 ? -1 : robot.expires_at / 1'000'000;
}

json::object robot_json(const Robot& robot)
{
    json::object object{
        {"id", robot.id},
        {"name", robot.name},
        {"description", robot.description},
        {"level", name_of(robot.level)},
        {"duration", robot.duration_days},
        {"editable", true},
        {"disable", robot.disabled},
        {"expires_at", robot_expiry(robot)},
        {"permissions", permissions_json(robot)},
        {"creator_type", "local"},
        {"creator_ref", robot.created_by},
        {"creation_time", rfc3339(robot.created_at)},
        {"update_time", rfc3339(robot.updated_at)},
    };
    if (robot.last_used_at != 0) object["last_used_time"] = rfc3339(robot.last_used_at);
    return object;
}

json::object grantable_json()
{
    return {
        {"system", grantable(ObjectKind::platform)},
        {"tenant", grantable(ObjectKind::tenant)},
        {"project", grantable(ObjectKind::project)},
    };
}

Result<RobotLevel> robot_level_of(std::string_view word)
{
    if (const auto level = robot_level_named(word)) return *level;
    return fail(Errc::bad_request, "a robot's level is system, tenant or project");
}

Result<std::vector<RobotPermission>> robot_permissions_of(const JsonBody& body)
{
    std::vector<RobotPermission> permissions;
    TRY(const auto entries, body.objects("permissions"));
    for (const auto& entry : entries) {
        RobotPermission permission;
        TRY(const auto kind, entry.text("kind"));
        TRY(permission.kind, robot_level_of(kind));
        TRY(auto name, entry.optional_text("namespace"));
        permission.name = std::move(name).value_or("");
        TRY(const auto access, entry.objects("access"));
        for (const auto& one : access) {
            TRY(auto resource, one.text("resource"));
            TRY(auto action, one.text("action"));
            TRY(const auto effect, one.optional_text("effect"));
            if (effect && !effect->empty() && *effect != "allow") {
                return fail(Errc::bad_request, "a permission's effect is allow");
            }
            permission.access.emplace_back(std::move(resource), std::move(action));
        }
        permissions.push_back(std::move(permission));
    }
    return permissions;
}

}  // namespace entrepot
