#include "access/role.hpp"

#include <vector>

namespace entrepot {
namespace {

// "resource: actions" a line, for one kind of object. C R U D L as in Harbor's matrix, other actions by name.
using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;
using K = ObjectKind;

// What a word of a line stands for.
std::string_view action_of(std::string_view word) noexcept
{
    static constexpr std::string_view letters = "CRUDL";
    static constexpr std::string_view names[] = {"create", "read", "update", "delete", "list"};
    const auto letter = word.size() == 1 ? letters.find(word[0]) : std::string_view::npos;
    return letter == std::string_view::npos ? word : names[letter];
}

PermissionSet make_set(ObjectKind kind, Lines lines)
{
    PermissionSet set;
    for (auto [resource, words] : lines) {
        while (!words.empty()) {
            const auto end = words.find(' ');
            set.add(need(kind, resource, action_of(words.substr(0, end))));
            words = end == std::string_view::npos ? std::string_view{} : words.substr(end + 1);
        }
    }
    return set;
}

// Harbor's src/common/rbac/project/rbac_role.go as a matrix (Harbor 2.16), and grants beside members.
PermissionSet project_admin_set()
{
    return permissions_within(K::project);
}

PermissionSet maintainer_set()
{
    return make_set(
        K::project,
        {{"project", "R"},
         {"member", "R L"},
         {"metadata", "R"},
         {"label", "C R U D L"},
         {"quota", "R"},
         {"repository", "C R U D L pull push"},
         {"tag-retention", "C R U D L operate"},
         {"immutable-tag", "C U D L"},
         {"push-policy", "C R U D L"},
         {"promotion-policy", "R L"},
         {"promotion", "C R L approve"},
         {"configuration", "R"},
         {"robot", "R L"},
         {"notification-policy", "R L"},
         {"scan", "C R stop"},
         {"sbom", "C R stop"},
         {"scanner", "R"},
         {"artifact", "C R D L"},
         {"artifact-addition", "R"},
         {"tag", "C D L"},
         {"accessory", "L"},
         {"artifact-label", "C D"},
         {"check", "C D"},
         {"export-cve", "C R L"}}
    );
}

PermissionSet developer_set()
{
    return make_set(
        K::project,
        {{"project", "R"},
         {"member", "R L"},
         {"label", "R L"},
         {"quota", "R"},
         {"repository", "C R U L pull push"},
         {"tag-retention", "C R U D L operate"},
         {"push-policy", "R L"},
         {"promotion-policy", "R L"},
         {"promotion", "C R L"},
         {"configuration", "R"},
         {"robot", "R L"},
         {"scan", "R"},
         {"sbom", "R"},
         {"scanner", "R"},
         {"artifact", "C R L"},
         {"artifact-addition", "R"},
         {"tag", "C L"},
         {"accessory", "L"},
         {"artifact-label", "C D"},
         {"check", "C"},
         {"export-cve", "C R L"}}
    );
}

PermissionSet guest_set()
{
    return make_set(
        K::project,
        {{"project", "R"},
         {"member", "R L"},
         {"label", "R L"},
         {"quota", "R"},
         {"repository", "R L pull"},
         {"configuration", "R"},
         {"robot", "R L"},
         {"scan", "R"},
         {"sbom", "R"},
         {"scanner", "R"},
         {"artifact", "R L"},
         {"artifact-addition", "R"},
         {"tag", "L"},
         {"accessory", "L"}}
    );
}

PermissionSet limited_guest_set()
{
    return make_set(
        K::project,
        {{"project", "R"},
         {"quota", "R"},
         {"repository", "R L pull"},
         {"configuration", "R"},
         {"scan", "R"},
         {"sbom", "R"},
         {"scanner", "R"},
         {"artifact", "R L"},
         {"artifact-addition", "R"},
         {"tag", "L"},
         {"accessory", "L"}}
    );
}

PermissionSet public_set()
{
    return make_set(
        K::project,
        {{"project", "R"},
         {"label", "R L"},
         {"repository", "L pull"},
         {"configuration", "R"},
         {"scan", "R"},
         {"sbom", "R"},
         {"scanner", "R"},
         {"artifact", "R L"},
         {"artifact-addition", "R"},
         {"tag", "L"},
         {"accessory", "L"}}
    );
}

PermissionSet with_actions(std::initializer_list<std::string_view> actions)
{
    PermissionSet set;
    const auto rows = all_permissions();
    for (std::uint16_t index = 0; index < rows.size(); ++index) {
        for (const auto action : actions) {
            if (rows[index].action == action) set.add(Permission{index});
        }
    }
    return set;
}

// The basic roles on every kind below a tenant but projects.
PermissionSet basic_set(std::initializer_list<std::string_view> actions)
{
    const auto wanted = with_actions(actions);
    PermissionSet set;
    for (const auto kind :
         {K::partition, K::app_template, K::load_balancer, K::configuration, K::pipeline, K::external}) {
        auto within = permissions_within(kind);
        within &= wanted;
        set |= within;
    }
    return set;
}

PermissionSet joined(PermissionSet left, const PermissionSet& right)
{
    left |= right;
    return left;
}

std::vector<Role> make_builtin_roles()
{
    const auto basic_user = basic_set({"read", "list", "use", "operate"});
    return {
        {role::project_admin,
         "project-admin",
         "everything in a project (Harbor's projectAdmin)",
         true,
         project_admin_set()},
        {role::developer, "developer", "pushes and pulls (Harbor's developer)", true, developer_set()},
        {role::guest, "guest", "pulls, sees members (Harbor's guest)", true, guest_set()},
        {role::maintainer, "maintainer", "pushes, pulls and deletes (Harbor's maintainer)", true, maintainer_set()},
        {role::limited_guest, "limited-guest", "pulls (Harbor's limitedGuest)", true, limited_guest_set()},
        {role::platform_admin, "platform-admin", "everything everywhere", true, permissions_within(K::platform)},
        {role::platform_auditor,
         "platform-auditor",
         "reads and lists everything, pulls and changes nothing",
         true,
         with_actions({"read", "list"})},
        {role::tenant_admin, "tenant-admin", "everything in a tenant", true, permissions_within(K::tenant)},
        {role::tenant_member,
         "tenant-member",
         "sees the tenant and its teams",
         true,
         make_set(K::tenant, {{"tenant", "R"}, {"team", "R L"}})},
        {role::basic_owner,
         "basic-owner",
         "owns partitions, templates, balancers …; maintainer of projects",
         true,
         joined(basic_set({"create", "read", "update", "delete", "list", "use", "operate", "stop"}), maintainer_set())},
        {role::basic_user,
         "basic-user",
         "uses partitions, templates, balancers …; developer in projects",
         true,
         joined(basic_user, developer_set())},
        {role::basic_guest,
         "basic-guest",
         "sees partitions, templates, balancers …; guest in projects",
         true,
         joined(basic_set({"read", "list"}), guest_set())},
    };
}

}  // namespace

std::span<const Role> builtin_roles()
{
    static const auto roles = make_builtin_roles();
    return roles;
}

const Role* builtin_role(std::int64_t id) noexcept
{
    const auto roles = builtin_roles();
    return id >= 1 && static_cast<std::size_t>(id) <= roles.size() ? &roles[static_cast<std::size_t>(id - 1)] : nullptr;
}

const PermissionSet& public_permissions()
{
    static const auto set = public_set();
    return set;
}

const PermissionSet& frozen_permissions()
{
    static const auto set = with_actions({"read", "list", "pull"});
    return set;
}

}  // namespace entrepot
