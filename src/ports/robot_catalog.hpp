#pragma once

#include "access/permission.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where a robot is at home: who administers its robots administers it.
enum class RobotLevel : std::uint8_t { system, tenant, project };
std::string_view name_of(RobotLevel level) noexcept;
std::optional<RobotLevel> robot_level_named(std::string_view name) noexcept;

// What a robot may do on one object: the platform (and everything on it), a tenant, a project.
struct RobotRight {
    ObjectKind kind = ObjectKind::project;
    std::int64_t object_id = 0;  // 0 for the platform
    std::string object_name;     // for reading
    PermissionSet permissions;
};

struct Robot {
    std::int64_t id = 0;
    std::string name;  // the whole name that it logs in with
    RobotLevel level = RobotLevel::project;
    std::int64_t tenant_id = 0;   // of a tenant's robot, else 0
    std::int64_t project_id = 0;  // of a project's robot, else 0
    std::string description;
    bool disabled = false;
    std::int64_t duration_days = 0;  // -1: for ever
    Micros expires_at = 0;           // 0: never
    std::int64_t created_by = 0;
    Micros last_used_at = 0;  // 0: not yet
    Micros created_at = 0;
    Micros updated_at = 0;
    std::vector<RobotRight> rights;
};

// What is not set stays as it is.
struct RobotChange {
    std::optional<std::string> description{};
    std::optional<bool> disabled{};
    std::optional<std::int64_t> duration_days{};
    Micros expires_at = 0;  // with duration_days
    std::optional<std::vector<RobotRight>> rights{};
};

// Robots: principals with rights of their own. Secrets are known here by their hashes alone. Every method is one
// transaction; changes are durable when acknowledged and raise the version of access. unavailable, storage_full.
class RobotCatalog {
public:
    virtual ~RobotCatalog() = default;

    // Of one level, and of one tenant or project (`home`) where the level has one; in the order of names where the
    // query has none. Fields: id, name, description, disable, creation_time, update_time, expires_at. bad_request.
    virtual Task<ListPage<Robot>> list(RobotLevel level, std::int64_t home, ListQuery query) = 0;
    virtual Task<Robot> find(std::int64_t id) = 0;  // not_found
    // conflict when a principal of that name exists; not_found when its home or an object of its rights is gone.
    virtual Task<Robot> create(Robot robot, std::string secret_hash, Actor actor) = 0;
    virtual Task<Robot> change(std::int64_t id, RobotChange change, Actor actor) = 0;  // not_found
    // The secret before stays good until `previous_until`. 0: it ends now, with every token that was made from it.
    virtual Task<> set_secret(std::int64_t id, std::string hash, Micros previous_until, Actor actor) = 0;  // not_found
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;                                               // not_found
};

}  // namespace entrepot
