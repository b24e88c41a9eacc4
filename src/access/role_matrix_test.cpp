#include "access/policy.hpp"
#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

namespace entrepot {
namespace {

// What each role may do in a project, written down from Harbor's own table (src/common/rbac/project/rbac_role.go of
// Harbor 2.16) and not from ours: C create, R read, U update, D delete, L list, others by name. "-": nothing.
struct Line {
    const char* resource;
    const char* project_admin;
    const char* maintainer;
    const char* developer;
    const char* guest;
    const char* limited_guest;
    const char* anybody;  // in a public project
};
constexpr Line harbor[] = {
    {"project", "R U D", "R", "R", "R", "R", "R"},
    {"member", "C R U D L", "R L", "R L", "R L", "-", "-"},
    {"metadata", "C R U D", "R", "-", "-", "-", "-"},
    {"log", "L", "-", "-", "-", "-", "-"},
    {"label", "C R U D L", "C R U D L", "R L", "R L", "-", "R L"},
    {"quota", "R", "R", "R", "R", "R", "-"},
    {"repository", "C R U D L pull push", "C R U D L pull push", "C R U L pull push", "R L pull", "R L pull", "L pull"},
    {"tag-retention", "C R U D L operate", "C R U D L operate", "C R U D L operate", "-", "-", "-"},
    {"immutable-tag", "C U D L", "C U D L", "-", "-", "-", "-"},
    {"configuration", "R U", "R", "R", "R", "R", "R"},
    {"robot", "C R U D L", "R L", "R L", "R L", "-", "-"},
    {"notification-policy", "C R U D L", "R L", "-", "-", "-", "-"},
    {"scan", "C R stop", "C R stop", "R", "R", "R", "R"},
    {"sbom", "C R stop", "C R stop", "R", "R", "R", "R"},
    {"scanner", "C R", "R", "R", "R", "R", "R"},
    {"artifact", "C R D L", "C R D L", "C R L", "R L", "R L", "R L"},
    {"artifact-addition", "R", "R", "R", "R", "R", "R"},
    {"tag", "C D L", "C D L", "C L", "L", "L", "L"},
    {"accessory", "L", "L", "L", "L", "L", "L"},
    {"artifact-label", "C D", "C D", "C D", "-", "-", "-"},
    {"preheat-policy", "C R U D L", "-", "-", "-", "-", "-"},
    {"export-cve", "C R L", "C R L", "C R L", "-", "-", "-"},
    {"push-policy", "C R U D L", "C R U D L", "R L", "-", "-", "-"},
    {"promotion-policy", "C R U D L", "R L", "R L", "-", "-", "-"},
    {"promotion", "C R L approve", "C R L approve", "C R L", "-", "-", "-"},
    {"check", "C D", "C D", "C", "-", "-", "-"},
    // Ours: who gives grants, beside Harbor's members.
    {"grant", "C D L", "-", "-", "-", "-", "-"},
};

// What the tenant's and the platform's own resources are, by the same letters.
struct OwnLine {
    const char* resource;
    const char* actions;
};
constexpr OwnLine of_tenants[] = {
    {"tenant", "R U"},
    {"member", "C D L"},
    {"team", "C R U D L"},
    {"project", "C L"},
    {"grant", "C D L"},
    {"quota", "R U"},
    {"robot", "C R U D L"},
    {"log", "L"},
    {"registry", "C R U D L"},
};

std::set<std::string> words_of(const std::string& letters)
{
    static const std::map<std::string, std::string> names{
        {"C", "create"}, {"R", "read"}, {"U", "update"}, {"D", "delete"}, {"L", "list"}
    };
    std::set<std::string> words;
    std::istringstream text{letters};
    for (std::string word; text >> word;) {
        if (word == "-") continue;
        const auto named = names.find(word);
        words.insert(named == names.end() ? word : named->second);
    }
    return words;
}

constexpr std::int64_t someone = 7;
constexpr std::int64_t closed = 1;
constexpr std::int64_t open = 2;
constexpr std::int64_t elsewhere = 3;  // in another tenant

enum class Place { on_project, on_tenant, on_platform };

class RoleMatrix : public testing::Test {
protected:
    // A policy in which somebody holds the role at one place.
    AccessPolicy& with(std::int64_t role_id, Place place)
    {
        const auto kind = place == Place::on_project  ? ObjectKind::project
                          : place == Place::on_tenant ? ObjectKind::tenant
                                                      : ObjectKind::platform;
        const std::vector grants{grant_to(principal_key(someone), role_id, kind)};
        AccessChanges changes;
        changes.complete = true;
        changes.tenants = {tenant_entry(1, "default"), tenant_entry(2, "other")};
        changes.projects = {
            project_entry(closed, "closed"), project_entry(open, "open", true), project_entry(elsewhere, "elsewhere")
        };
        changes.projects[2].tenant_id = 2;
        changes.principals = {principal_entry(someone), principal_entry(8)};
        if (place == Place::on_project) changes.projects[0].grants = grants;
        if (place == Place::on_tenant) changes.tenants[0].grants = grants;
        changes.platform_grants.emplace();
        if (place == Place::on_platform) changes.platform_grants = grants;
        policy_.apply(changes);
        return policy_;
    }

    // Every permission of the object's kind against the list of those that should be there.
    static void expect_exactly(
        const AccessPolicy& policy,
        const Caller& caller,
        const ObjectRef& object,
        const std::set<std::pair<std::string, std::string>>& expected,
        const std::string& who
    )
    {
        const auto own_kind = permission_kind(object.kind);
        const auto sum = policy.permissions(caller, object);
        for (std::uint16_t index = 0; index < all_permissions().size(); ++index) {
            const auto& row = all_permissions()[index];
            if (row.kind != own_kind) continue;
            const std::pair<std::string, std::string> name{row.resource, row.action};
            const bool wanted = expected.contains(name);
            EXPECT_EQ(policy.may(caller, Permission{index}, object), wanted)
                << who << " " << name.first << ":" << name.second;
            EXPECT_EQ(sum.has(Permission{index}), wanted) << who << " " << name.first << ":" << name.second;
        }
        for (const auto& [resource, action] : expected) {
            EXPECT_TRUE(find_permission(own_kind, resource, action)) << resource << ":" << action;
        }
    }

    static std::set<std::pair<std::string, std::string>> column(const char* Line::* role)
    {
        std::set<std::pair<std::string, std::string>> expected;
        for (const auto& line : harbor) {
            for (const auto& action : words_of(line.*role)) expected.emplace(line.resource, action);
        }
        return expected;
    }
    static std::set<std::pair<std::string, std::string>> reading(const std::set<std::pair<std::string, std::string>>& of
    )
    {
        std::set<std::pair<std::string, std::string>> left;
        for (const auto& entry : of) {
            if (entry.second == "read" || entry.second == "list") left.insert(entry);
        }
        return left;
    }
    static std::set<std::pair<std::string, std::string>> everything_of_tenants()
    {
        std::set<std::pair<std::string, std::string>> all;
        for (const auto& line : of_tenants) {
            for (const auto& action : words_of(line.actions)) all.emplace(line.resource, action);
        }
        return all;
    }

    static ObjectRef project(std::int64_t id) { return {.kind = ObjectKind::project, .id = id, .name = {}}; }
    static ObjectRef tenant(std::int64_t id) { return {.kind = ObjectKind::tenant, .id = id, .name = {}}; }

    FakeClock clock;
    AccessPolicy policy_{ProjectCreation::nobody, clock};
};

struct ProjectRole {
    std::int64_t id;
    const char* Line::* column;
    const char* name;
};
constexpr ProjectRole project_roles[] = {
    {role::project_admin, &Line::project_admin, "project-admin"},
    {role::maintainer, &Line::maintainer, "maintainer"},
    {role::developer, &Line::developer, "developer"},
    {role::guest, &Line::guest, "guest"},
    {role::limited_guest, &Line::limited_guest, "limited-guest"},
    {role::basic_owner, &Line::maintainer, "basic-owner"},
    {role::basic_user, &Line::developer, "basic-user"},
    {role::basic_guest, &Line::guest, "basic-guest"},
};

TEST_F(RoleMatrix, a_project_role_gives_exactly_its_column_of_harbors_table_in_its_project_alone)
{
    for (const auto& role : project_roles) {
        const auto& policy = with(role.id, Place::on_project);
        const auto caller = caller_with_id(someone);
        expect_exactly(policy, caller, project(closed), column(role.column), role.name);
        expect_exactly(
            policy,
            caller,
            {.kind = ObjectKind::repository, .id = closed, .name = "closed/a"},
            column(role.column),
            role.name
        );
        expect_exactly(policy, caller, project(open), column(&Line::anybody), role.name);
        expect_exactly(policy, caller, project(elsewhere), {}, role.name);
        expect_exactly(policy, caller, tenant(1), {}, role.name);
        expect_exactly(policy, caller, {}, {}, role.name);
    }
}

TEST_F(RoleMatrix, a_project_role_on_a_tenant_counts_in_all_its_projects_and_in_no_other_tenant)
{
    for (const auto& role : project_roles) {
        const auto& policy = with(role.id, Place::on_tenant);
        const auto caller = caller_with_id(someone);
        expect_exactly(policy, caller, project(closed), column(role.column), role.name);
        auto in_public = column(role.column);
        in_public.merge(column(&Line::anybody));
        expect_exactly(policy, caller, project(open), in_public, role.name);
        expect_exactly(policy, caller, project(elsewhere), {}, role.name);
        expect_exactly(policy, caller, tenant(1), {}, role.name);
    }
}

TEST_F(RoleMatrix, a_tenant_admin_may_everything_in_the_tenant_and_nothing_beside_it)
{
    const auto& policy = with(role::tenant_admin, Place::on_tenant);
    const auto caller = caller_with_id(someone);
    expect_exactly(policy, caller, tenant(1), everything_of_tenants(), "tenant-admin");
    expect_exactly(policy, caller, tenant(2), {}, "tenant-admin");
    expect_exactly(policy, caller, project(closed), column(&Line::project_admin), "tenant-admin");
    expect_exactly(policy, caller, project(elsewhere), {}, "tenant-admin");
    expect_exactly(policy, caller, {}, {}, "tenant-admin");
}

TEST_F(RoleMatrix, a_platform_admin_may_everything_and_an_auditor_reads_everything)
{
    const auto caller = caller_with_id(someone);
    std::set<std::pair<std::string, std::string>> platform;
    for (const auto& row : all_permissions()) {
        if (row.kind == ObjectKind::platform) platform.emplace(row.resource, row.action);
    }
    const auto& ours = with(role::platform_admin, Place::on_platform);
    expect_exactly(ours, caller, {}, platform, "platform-admin");
    for (const auto id : {1, 2}) expect_exactly(ours, caller, tenant(id), everything_of_tenants(), "platform-admin");
    for (const auto id : {closed, open, elsewhere}) {
        expect_exactly(ours, caller, project(id), column(&Line::project_admin), "platform-admin");
    }

    const auto& auditors = with(role::platform_auditor, Place::on_platform);
    expect_exactly(auditors, caller, {}, reading(platform), "platform-auditor");
    expect_exactly(auditors, caller, tenant(2), reading(everything_of_tenants()), "platform-auditor");
    expect_exactly(auditors, caller, project(closed), reading(column(&Line::project_admin)), "platform-auditor");
}

TEST_F(RoleMatrix, nobody_and_a_stranger_may_what_is_public)
{
    const auto& policy = with(role::project_admin, Place::on_project);
    for (const auto& caller : {caller_with_id(0), caller_with_id(8)}) {
        expect_exactly(policy, caller, project(open), column(&Line::anybody), "stranger");
        expect_exactly(policy, caller, project(closed), {}, "stranger");
        expect_exactly(policy, caller, tenant(1), {}, "stranger");
        expect_exactly(policy, caller, {}, {}, "stranger");
    }
}

TEST_F(RoleMatrix, the_basic_roles_on_what_other_systems_administer)
{
    const ObjectRef gpu{.kind = ObjectKind::partition, .id = 1, .name = "east/gpu"};
    const auto caller = caller_with_id(someone);
    using Set = std::set<std::pair<std::string, std::string>>;
    const auto actions = [](std::initializer_list<const char*> names) {
        Set set;
        for (const auto* name : names) set.emplace("partition", name);
        return set;
    };
    const std::map<std::int64_t, Set> expected{
        {role::basic_owner, actions({"create", "read", "update", "delete", "list", "use"})},
        {role::basic_user, actions({"read", "list", "use"})},
        {role::basic_guest, actions({"read", "list"})},
    };
    for (const auto& [id, set] : expected) {
        expect_exactly(with(id, Place::on_tenant), caller, gpu, set, builtin_role(id)->name);
        expect_exactly(with(id, Place::on_project), caller, gpu, {}, builtin_role(id)->name);
    }
}

TEST(BuiltinRoles, have_their_ids_and_names)
{
    ASSERT_EQ(builtin_roles().size(), 12U);
    for (std::int64_t id = 1; id <= 12; ++id) {
        ASSERT_NE(builtin_role(id), nullptr);
        EXPECT_EQ(builtin_role(id)->id, id);
        EXPECT_TRUE(builtin_role(id)->builtin);
    }
    EXPECT_EQ(builtin_role(role::project_admin)->name, "project-admin");
    EXPECT_EQ(builtin_role(role::limited_guest)->name, "limited-guest");
    EXPECT_EQ(builtin_role(0), nullptr);
    EXPECT_EQ(builtin_role(13), nullptr);
    EXPECT_EQ(builtin_role(-1), nullptr);
}

}  // namespace
}  // namespace entrepot
