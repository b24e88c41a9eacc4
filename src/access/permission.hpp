#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace entrepot {

// What rights can be given on. A right on a platform reaches down to every tenant, on a tenant to its projects and its
// other objects, on a project to its repositories. The kinds from `partition` on are administered by other systems
// (clusters, load balancers, pipelines …): here they are names within a tenant, "cluster" or "cluster/partition".
enum class ObjectKind : std::uint8_t {
    platform,
    tenant,
    project,
    repository,  // a pattern within a project; takes the project's permissions
    partition,
    app_template,
    load_balancer,
    configuration,
    pipeline,
    external,
};
inline constexpr std::size_t object_kinds = 10;

// "platform", "tenant", …, "template", "load-balancer"
std::string_view name_of(ObjectKind kind) noexcept;
std::optional<ObjectKind> object_kind_named(std::string_view name) noexcept;
// The kind whose permissions count for objects of this kind: a repository's are its project's.
constexpr ObjectKind permission_kind(ObjectKind kind) noexcept
{
    return kind == ObjectKind::repository ? ObjectKind::project : kind;
}

// One thing that can be done to one kind of object. The names are those of Harbor's RBAC (resource and action) where
// Harbor has them.
struct PermissionRow {
    ObjectKind kind;
    std::string_view resource;
    std::string_view action;
};
std::span<const PermissionRow> all_permissions() noexcept;

// An index into all_permissions().
struct Permission {
    std::uint16_t index = 0;

    const PermissionRow& row() const noexcept { return all_permissions()[index]; }
    bool operator==(const Permission&) const = default;
};
std::optional<Permission> find_permission(ObjectKind kind, std::string_view resource, std::string_view action) noexcept;

// The same for constants: static const Permission list_members = need(ObjectKind::project, "member", "list"). Throws
// std::logic_error when there is none, at start.
Permission need(ObjectKind kind, std::string_view resource, std::string_view action);

// A set of them, of any kinds.
class PermissionSet {
public:
    static constexpr std::size_t capacity = 512;

    bool has(Permission permission) const noexcept { return bits_[permission.index]; }
    void add(Permission permission) noexcept { bits_.set(permission.index); }
    PermissionSet& operator|=(const PermissionSet& other) noexcept
    {
        bits_ |= other.bits_;
        return *this;
    }
    PermissionSet& operator&=(const PermissionSet& other) noexcept
    {
        bits_ &= other.bits_;
        return *this;
    }
    bool is_subset_of(const PermissionSet& other) const noexcept { return (bits_ & ~other.bits_).none(); }
    bool empty() const noexcept { return bits_.none(); }
    std::size_t size() const noexcept { return bits_.count(); }
    bool operator==(const PermissionSet&) const = default;

private:
    std::bitset<capacity> bits_;
};

// Every permission that counts on an object of this kind: its own kind's and those of what lies below it.
const PermissionSet& permissions_within(ObjectKind kind);

}  // namespace entrepot
