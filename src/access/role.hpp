#pragma once

#include "access/permission.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// A named set of permissions. Built-in ones are the same everywhere and can't be changed; custom ones live in the
// metadata store and have ids from first_custom_role on.
struct Role {
    std::int64_t id = 0;
    std::string name;
    std::string description;
    bool builtin = false;
    PermissionSet permissions;
};

// 1 to 5 are Harbor's project roles with Harbor's ids.
namespace role {
inline constexpr std::int64_t project_admin = 1;
inline constexpr std::int64_t developer = 2;
inline constexpr std::int64_t guest = 3;
inline constexpr std::int64_t maintainer = 4;
inline constexpr std::int64_t limited_guest = 5;
inline constexpr std::int64_t platform_admin = 6;
inline constexpr std::int64_t platform_auditor = 7;  // reads and lists everything, pulls and changes nothing
inline constexpr std::int64_t tenant_admin = 8;
inline constexpr std::int64_t tenant_member = 9;  // what every member of a tenant may
// The three basic roles of the kinds that other systems administer; on projects they are maintainer, developer, guest.
inline constexpr std::int64_t basic_owner = 10;
inline constexpr std::int64_t basic_user = 11;
inline constexpr std::int64_t basic_guest = 12;
inline constexpr std::int64_t first_custom = 1000;
}  // namespace role

std::span<const Role> builtin_roles();
const Role* builtin_role(std::int64_t id) noexcept;  // null when there is none

// What anybody may do in a public project, and any user in one that all tenants may read.
const PermissionSet& public_permissions();

// What a frozen tenant or project still allows: reading, listing and pulling.
const PermissionSet& frozen_permissions();

}  // namespace entrepot
