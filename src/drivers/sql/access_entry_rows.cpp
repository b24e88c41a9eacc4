#include "drivers/sql/access_entry_rows.hpp"

#include "access/permission_text.hpp"
#include "drivers/sql/source_text.hpp"

#include <unordered_map>

namespace entrepot {

namespace {

constexpr SqlStatement all_projects{
    "SELECT id, name, tenant_id, owner_id, is_public, shared, frozen, COALESCE(registry_id, 0), site_role, home_epoch, "
    "home_address, home_user_id, sources FROM projects "
    "ORDER BY id"
};
constexpr SqlStatement one_project{
    "SELECT id, name, tenant_id, owner_id, is_public, shared, frozen, COALESCE(registry_id, 0), site_role, home_epoch, "
    "home_address, home_user_id, sources FROM projects "
    "WHERE id = $1"
};

constexpr SqlStatement all_tenants{"SELECT id, name, frozen FROM tenants ORDER BY id"};
constexpr SqlStatement one_tenant{"SELECT id, name, frozen FROM tenants WHERE id = $1"};

constexpr SqlStatement every_grant{
    "SELECT id, subject_kind, subject_id, role_id, permissions, pattern, object_kind, expires_at, object_id FROM grants"
};
constexpr SqlStatement grants_on_project{
    "SELECT id, subject_kind, subject_id, role_id, permissions, pattern, object_kind, expires_at, object_id "
    "FROM grants WHERE object_kind IN ('project', 'repository') AND object_id = $1"
};
constexpr SqlStatement grants_on_tenant{
    "SELECT id, subject_kind, subject_id, role_id, permissions, pattern, object_kind, expires_at, object_id "
    "FROM grants WHERE object_kind IN ('tenant', 'partition', 'template', 'load-balancer', 'configuration', "
    "'pipeline', 'external') AND object_id = $1"
};
constexpr SqlStatement grants_on_platform{
    "SELECT id, subject_kind, subject_id, role_id, permissions, pattern, object_kind, expires_at, object_id "
    "FROM grants WHERE object_kind = 'platform' AND object_id = 0"
};

constexpr SqlStatement every_former_name{
    "SELECT n.project_id, n.name, COALESCE(r.project_id, 0), COALESCE(r.name, '') FROM former_names n "
    "LEFT JOIN repositories r ON r.id = n.repository_id"
};
constexpr SqlStatement former_names_of_project{
    "SELECT n.project_id, n.name, COALESCE(r.project_id, 0), COALESCE(r.name, '') FROM former_names n "
    "LEFT JOIN repositories r ON r.id = n.repository_id WHERE n.project_id = $1"
};

constexpr SqlStatement every_role{"SELECT id, name, description, permissions FROM roles"};

// A credential's version counts whatever it is: a password or a robot's secrets.
constexpr SqlStatement all_users{
    "SELECT u.id, u.disabled, COALESCE(c.version, 0), COALESCE(r.expires_at, 0) FROM users u "
    "LEFT JOIN credentials c ON c.user_id = u.id AND c.kind IN ('password', 'robot') "
    "LEFT JOIN robots r ON r.user_id = u.id WHERE u.kind <> 'deleted' ORDER BY u.id"
};
constexpr SqlStatement one_user{
    "SELECT u.id, u.disabled, COALESCE(c.version, 0), COALESCE(r.expires_at, 0) FROM users u "
    "LEFT JOIN credentials c ON c.user_id = u.id AND c.kind IN ('password', 'robot') "
    "LEFT JOIN robots r ON r.user_id = u.id WHERE u.id = $1 AND u.kind <> 'deleted'"
};

constexpr SqlStatement all_team_members{"SELECT user_id, team_id FROM team_members"};
constexpr SqlStatement teams_of_user{"SELECT user_id, team_id FROM team_members WHERE user_id = $1"};
constexpr SqlStatement all_implicit_members{
    "SELECT m.user_id, t.id FROM tenant_members m JOIN teams t ON t.tenant_id = m.tenant_id AND t.implicit = 1"
};
constexpr SqlStatement implicit_teams_of_user{
    "SELECT m.user_id, t.id FROM tenant_members m JOIN teams t ON t.tenant_id = m.tenant_id AND t.implicit = 1 "
    "WHERE m.user_id = $1"
};
constexpr SqlStatement all_group_members{"SELECT user_id, group_id FROM external_group_members"};
constexpr SqlStatement groups_of_user{"SELECT user_id, group_id FROM external_group_members WHERE user_id = $1"};
constexpr SqlStatement all_tenant_members{"SELECT user_id, tenant_id FROM tenant_members"};
constexpr SqlStatement tenants_of_user{"SELECT user_id, tenant_id FROM tenant_members WHERE user_id = $1"};
constexpr SqlStatement all_access_tokens{"SELECT user_id, id FROM access_tokens"};
constexpr SqlStatement tokens_of_user{"SELECT user_id, id FROM access_tokens WHERE user_id = $1"};

SubjectKind subject_kind(const std::string& word) noexcept
{
    if (word == "team") return SubjectKind::team;
    if (word == "group") return SubjectKind::group;
    return SubjectKind::principal;
}

Result<ProjectAccess> project_of(SqlRow& row)
{
    ProjectAccess project;
    project.id = row.integer(0);
    project.name = row.take_text(1);
    project.tenant_id = row.integer(2);
    project.owner_id = row.integer(3);
    project.is_public = row.integer(4) != 0;
    project.shared = row.integer(5) != 0;
    project.frozen = row.integer(6) != 0;
    project.registry_id = row.integer(7);
    if (const auto role = site_role_named(row.text(8)); role != SiteRole::none) {
        project.site = std::make_shared<const SiteState>(
            SiteState{.role = role, .epoch = row.integer(9), .home = row.take_text(10), .home_user_id = row.integer(11)}
        );
    }
    TRY(project.sources, sources_in(row.text(12)));
    return project;
}

TenantAccess tenant_of(SqlRow& row)
{
    TenantAccess tenant;
    tenant.id = row.integer(0);
    tenant.name = row.take_text(1);
    tenant.frozen = row.integer(2) != 0;
    return tenant;
}

PrincipalAccess principal_of(const SqlRow& row)
{
    PrincipalAccess principal;
    principal.id = row.integer(0);
    principal.disabled = row.integer(1) != 0;
    principal.credential_version = row.integer(2);
    principal.expires_at = row.integer(3);
    return principal;
}

void add_former_name(ProjectAccess& project, SqlRow& row)
{
    if (row.integer(2) == 0) {
        project.former_names.push_back(row.take_text(1));
        return;
    }
    const auto& name = row.text(3);
    project.moved[row.text(1)] = {.project_id = row.integer(2), .path = name.substr(name.find('/') + 1)};
}

// Where the rows of the tables around users go.
struct BelongingStatements {
    const SqlStatement& teams;
    const SqlStatement& implicit_teams;
    const SqlStatement& groups;
    const SqlStatement& tenants;
    const SqlStatement& tokens;
};
constexpr BelongingStatements of_everybody{
    all_team_members, all_implicit_members, all_group_members, all_tenant_members, all_access_tokens
};
constexpr BelongingStatements of_one_user{
    teams_of_user, implicit_teams_of_user, groups_of_user, tenants_of_user, tokens_of_user
};

// `find` answers the principal of an id, or null.
template <class Find>
Result<>
read_belongings(SqlSession& session, const BelongingStatements& statements, SqlParameters parameters, Find find)
{
    const auto subjects = [&](const SqlStatement& statement, SubjectKind kind) -> Result<> {
        TRY(const auto rows, session.run(statement, parameters));
        for (const auto& row : rows) {
            if (auto* principal = find(row.integer(0))) principal->subjects.push_back({kind, row.integer(1)});
        }
        return {};
    };
    const auto ids = [&](const SqlStatement& statement, std::vector<std::int64_t> PrincipalAccess::* list) -> Result<> {
        TRY(const auto rows, session.run(statement, parameters));
        for (const auto& row : rows) {
            if (auto* principal = find(row.integer(0))) (principal->*list).push_back(row.integer(1));
        }
        return {};
    };
    CHECK(subjects(statements.teams, SubjectKind::team));
    CHECK(subjects(statements.implicit_teams, SubjectKind::team));
    CHECK(subjects(statements.groups, SubjectKind::group));
    CHECK(ids(statements.tenants, &PrincipalAccess::tenants));
    return ids(statements.tokens, &PrincipalAccess::access_tokens);
}

}  // namespace

GrantEntry AccessReader::grant_of(SqlRow& row)
{
    GrantEntry grant;
    grant.id = row.integer(0);
    grant.subject = {.kind = subject_kind(row.text(1)), .id = row.integer(2)};
    grant.role_id = row.integer(3);
    grant.kind = object_kind_named(row.text(6)).value_or(ObjectKind::project);
    if (grant.role_id == 0) {
        auto& set = sets_[{grant.kind, row.text(4)}];
        if (!set) set = std::make_shared<const PermissionSet>(permissions_in(row.text(4), grant.kind));
        grant.permissions = set;
    }
    grant.pattern = row.take_text(5);
    grant.expires_at = row.integer(7);
    return grant;
}

Result<> AccessReader::project(std::int64_t id)
{
    TRY(auto rows, session_.run(one_project, {id}));
    if (rows.empty()) {
        changes_.removed_projects.push_back(id);
        return {};
    }
    TRY(auto project, project_of(rows.front()));
    TRY(auto grants, session_.run(grants_on_project, {id}));
    for (auto& row : grants) project.grants.push_back(grant_of(row));
    TRY(auto names, session_.run(former_names_of_project, {id}));
    for (auto& row : names) add_former_name(project, row);
    changes_.projects.push_back(std::move(project));
    return {};
}

Result<> AccessReader::tenant(std::int64_t id)
{
    TRY(auto rows, session_.run(one_tenant, {id}));
    if (rows.empty()) {
        changes_.removed_tenants.push_back(id);
        return {};
    }
    auto tenant = tenant_of(rows.front());
    TRY(auto grants, session_.run(grants_on_tenant, {id}));
    for (auto& row : grants) tenant.grants.push_back(grant_of(row));
    changes_.tenants.push_back(std::move(tenant));
    return {};
}

Result<> AccessReader::principal(std::int64_t id)
{
    TRY(const auto rows, session_.run(one_user, {id}));
    if (rows.empty()) {
        changes_.removed_principals.push_back(id);
        return {};
    }
    auto principal = principal_of(rows.front());
    CHECK(read_belongings(session_, of_one_user, {id}, [&](std::int64_t) { return &principal; }));
    changes_.principals.push_back(std::move(principal));
    return {};
}

Result<> AccessReader::platform()
{
    TRY(auto rows, session_.run(grants_on_platform));
    auto& grants = changes_.platform_grants.emplace();
    for (auto& row : rows) grants.push_back(grant_of(row));
    return {};
}

Result<> AccessReader::roles()
{
    TRY(auto rows, session_.run(every_role));
    auto& roles = changes_.custom_roles.emplace();
    for (auto& row : rows) {
        Role role;
        role.id = row.integer(0);
        role.name = row.take_text(1);
        role.description = row.take_text(2);
        role.permissions = permissions_in(row.text(3), ObjectKind::project);
        roles.push_back(std::move(role));
    }
    return {};
}

Result<> AccessReader::everything()
{
    changes_ = {};
    changes_.complete = true;
    TRY(auto projects, session_.run(all_projects));
    for (auto& row : projects) {
        TRY(auto project, project_of(row));
        changes_.projects.push_back(std::move(project));
    }
    TRY(auto tenants, session_.run(all_tenants));
    for (auto& row : tenants) changes_.tenants.push_back(tenant_of(row));
    CHECK(grants_and_names());
    CHECK(all_principals());
    return roles();
}

Result<> AccessReader::grants_and_names()
{
    std::unordered_map<std::int64_t, ProjectAccess*> projects;
    std::unordered_map<std::int64_t, TenantAccess*> tenants;
    for (auto& project : changes_.projects) projects[project.id] = &project;
    for (auto& tenant : changes_.tenants) tenants[tenant.id] = &tenant;
    auto& platform = changes_.platform_grants.emplace();
    TRY(auto rows, session_.run(every_grant));
    for (auto& row : rows) {
        const auto object = row.integer(8);
        auto grant = grant_of(row);
        if (grant.kind == ObjectKind::platform) {
            platform.push_back(std::move(grant));
        } else if (permission_kind(grant.kind) == ObjectKind::project) {
            if (const auto found = projects.find(object); found != projects.end())
                found->second->grants.push_back(std::move(grant));
        } else if (const auto found = tenants.find(object); found != tenants.end()) {
            found->second->grants.push_back(std::move(grant));
        }
    }
    TRY(auto names, session_.run(every_former_name));
    for (auto& row : names) {
        if (const auto found = projects.find(row.integer(0)); found != projects.end()) {
            add_former_name(*found->second, row);
        }
    }
    return {};
}

Result<> AccessReader::all_principals()
{
    TRY(const auto rows, session_.run(all_users));
    std::unordered_map<std::int64_t, std::size_t> places;
    for (const auto& row : rows) {
        places[row.integer(0)] = changes_.principals.size();
        changes_.principals.push_back(principal_of(row));
    }
    return read_belongings(session_, of_everybody, {}, [&](std::int64_t id) -> PrincipalAccess* {
        const auto found = places.find(id);
        return found == places.end() ? nullptr : &changes_.principals[found->second];
    });
}

}  // namespace entrepot
