#include "access/permission.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace entrepot {
namespace {

// A resource and its actions. C create, R read, U update, D delete, L list as in Harbor's matrix; other actions by
// name.
struct Resource {
    ObjectKind kind;
    std::string_view name;
    std::string_view letters;
    std::array<std::string_view, 2> others{};
};

using K = ObjectKind;
constexpr Resource resources[] = {
    // What Harbor checks at system level, and beside it our own resources of a whole installation.
    {K::platform, "audit-log", "L"},
    {K::platform, "catalog", "R"},
    {K::platform, "project", "CL"},
    {K::platform, "user", "CRUDL"},
    {K::platform, "user-group", "CRUDL"},
    {K::platform, "ldap-user", "CL"},
    {K::platform, "registry", "CRUDL"},
    {K::platform, "replication", "CRL"},
    {K::platform, "replication-policy", "CRUDL"},
    {K::platform, "replication-adapter", "L"},
    {K::platform, "preheat-instance", "CRUDL"},
    {K::platform, "scan-all", "CRU", {"stop"}},
    {K::platform, "scanner", "CRUDL"},
    {K::platform, "garbage-collection", "CRUL", {"stop"}},
    {K::platform, "purge-audit", "CRUL", {"stop"}},
    {K::platform, "quota-recount", "CRUL", {"stop"}},
    {K::platform, "scrub", "CRUL", {"stop"}},
    {K::platform, "system-volumes", "R"},
    {K::platform, "jobservice-monitor", "L", {"stop"}},
    {K::platform, "security-hub", "RL"},
    {K::platform, "quota", "RUL"},
    {K::platform, "label", "CRUD"},
    {K::platform, "configuration", "RU"},
    {K::platform, "robot", "CRUDL"},
    {K::platform, "notification-policy", "CRUDL"},
    {K::platform, "export-cve", "CR"},
    {K::platform, "tenant", "CDL"},
    {K::platform, "role", "CRUDL"},
    {K::platform, "grant", "CDL"},

    {K::tenant, "tenant", "RU"},
    {K::tenant, "member", "CDL"},
    {K::tenant, "team", "CRUDL"},
    {K::tenant, "project", "CL"},
    {K::tenant, "grant", "CDL"},
    {K::tenant, "quota", "RU"},
    {K::tenant, "robot", "CRUDL"},
    {K::tenant, "log", "L"},
    {K::tenant, "registry", "CRUDL"},

    // Harbor's project permissions.
    {K::project, "project", "RUD"},
    {K::project, "member", "CRUDL"},
    {K::project, "metadata", "CRUD"},
    {K::project, "log", "L"},
    {K::project, "label", "CRUDL"},
    {K::project, "quota", "R"},
    {K::project, "repository", "CRUDL", {"pull", "push"}},
    {K::project, "tag-retention", "CRUDL", {"operate"}},
    {K::project, "immutable-tag", "CUDL"},
    {K::project, "push-policy", "CRUDL"},
    {K::project, "promotion-policy", "CRUDL"},
    {K::project, "promotion", "CRL", {"approve"}},
    {K::project, "configuration", "RU"},
    {K::project, "robot", "CRUDL"},
    {K::project, "notification-policy", "CRUDL"},
    {K::project, "scan", "CR", {"stop"}},
    {K::project, "sbom", "CR", {"stop"}},
    {K::project, "scanner", "CR"},
    {K::project, "artifact", "CRDL"},
    {K::project, "artifact-addition", "R"},
    {K::project, "tag", "CDL"},
    {K::project, "accessory", "L"},
    {K::project, "artifact-label", "CD"},
    {K::project, "check", "CD"},
    {K::project, "preheat-policy", "CRUDL"},
    {K::project, "export-cve", "CRL"},
    {K::project, "grant", "CDL"},

    // What other systems ask us about.
    {K::partition, "partition", "CRUDL", {"use"}},
    {K::app_template, "template", "CRUDL", {"use"}},
    {K::load_balancer, "load-balancer", "CRUDL", {"use"}},
    {K::configuration, "config", "CRUDL", {"use"}},
    {K::pipeline, "pipeline", "CRUDL", {"operate", "stop"}},
    {K::external, "external", "CRUDL", {"use"}},
};

constexpr std::array<std::string_view, object_kinds> kind_names{
    "platform",
    "tenant",
    "project",
    "repository",
    "partition",
    "template",
    "load-balancer",
    "configuration",
    "pipeline",
    "external",
};

std::string_view action_of(char letter)
{
    switch (letter) {
        case 'C': return "create";
        case 'R': return "read";
        case 'U': return "update";
        case 'D': return "delete";
        default: return "list";
    }
}

std::vector<PermissionRow> make_rows()
{
    std::vector<PermissionRow> rows;
    for (const auto& resource : resources) {
        for (const char letter : resource.letters) rows.push_back({resource.kind, resource.name, action_of(letter)});
        for (const auto other : resource.others) {
            if (!other.empty()) rows.push_back({resource.kind, resource.name, other});
        }
    }
    return rows;
}

bool is_within(ObjectKind inner, ObjectKind outer)
{
    if (inner == outer || outer == K::platform) return true;
    return outer == K::tenant && inner != K::platform;
}

std::array<PermissionSet, object_kinds> make_reach()
{
    std::array<PermissionSet, object_kinds> sets;
    const auto rows = all_permissions();
    for (std::size_t outer = 0; outer < object_kinds; ++outer) {
        for (std::uint16_t index = 0; index < rows.size(); ++index) {
            if (is_within(rows[index].kind, permission_kind(static_cast<ObjectKind>(outer)))) {
                sets[outer].add(Permission{index});
            }
        }
    }
    return sets;
}

}  // namespace

std::string_view name_of(ObjectKind kind) noexcept
{
    return kind_names[static_cast<std::size_t>(kind)];
}

std::optional<ObjectKind> object_kind_named(std::string_view name) noexcept
{
    const auto found = std::ranges::find(kind_names, name);
    if (found == kind_names.end()) return std::nullopt;
    return static_cast<ObjectKind>(found - kind_names.begin());
}

std::span<const PermissionRow> all_permissions() noexcept
{
    static const std::vector<PermissionRow> rows = make_rows();
    static_assert(sizeof resources / sizeof resources[0] * 7 < PermissionSet::capacity);
    return rows;
}

std::optional<Permission> find_permission(ObjectKind kind, std::string_view resource, std::string_view action) noexcept
{
    const auto rows = all_permissions();
    const auto found = std::ranges::find_if(rows, [&](const PermissionRow& row) {
        return row.kind == permission_kind(kind) && row.resource == resource && row.action == action;
    });
    if (found == rows.end()) return std::nullopt;
    return Permission{static_cast<std::uint16_t>(found - rows.begin())};
}

Permission need(ObjectKind kind, std::string_view resource, std::string_view action)
{
    const auto permission = find_permission(kind, resource, action);
    if (!permission) throw std::logic_error{"no such permission: " + std::string{resource} + " " + std::string{action}};
    return *permission;
}

const PermissionSet& permissions_within(ObjectKind kind)
{
    static const auto reach = make_reach();
    return reach[static_cast<std::size_t>(kind)];
}

}  // namespace entrepot
