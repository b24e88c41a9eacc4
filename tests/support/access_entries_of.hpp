#pragma once

#include "access/policy.hpp"

#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Entries for AccessPolicy in few words, for tests.
inline SubjectKey principal_key(std::int64_t id)
{
    return {.kind = SubjectKind::principal, .id = id};
}
inline SubjectKey team_key(std::int64_t id)
{
    return {.kind = SubjectKind::team, .id = id};
}
inline SubjectKey group_key(std::int64_t id)
{
    return {.kind = SubjectKind::group, .id = id};
}

inline GrantEntry grant_to(
    const SubjectKey& subject, std::int64_t role_id, ObjectKind kind = ObjectKind::project, std::string pattern = {}
)
{
    GrantEntry grant;
    grant.id = 1000 * subject.id + role_id;
    grant.subject = subject;
    grant.role_id = role_id;
    grant.kind = kind;
    grant.pattern = std::move(pattern);
    return grant;
}

inline ProjectAccess
project_entry(std::int64_t id, std::string name, bool is_public = false, std::vector<GrantEntry> grants = {})
{
    ProjectAccess project;
    project.id = id;
    project.name = std::move(name);
    project.tenant_id = 1;
    project.is_public = is_public;
    project.grants = std::move(grants);
    return project;
}

inline TenantAccess tenant_entry(std::int64_t id, std::string name, std::vector<GrantEntry> grants = {})
{
    TenantAccess tenant;
    tenant.id = id;
    tenant.name = std::move(name);
    tenant.grants = std::move(grants);
    return tenant;
}

inline PrincipalAccess principal_entry(std::int64_t id, std::vector<SubjectKey> subjects = {})
{
    PrincipalAccess principal;
    principal.id = id;
    principal.credential_version = 1;
    principal.subjects = std::move(subjects);
    return principal;
}

// Somebody with the credential that principal_entry() knows; 0 is anonymous.
inline Caller caller_with_id(std::int64_t id)
{
    Caller caller;
    caller.identity = std::make_shared<const Identity>(Identity{.user_id = id, .name = "u" + std::to_string(id)});
    caller.credential_version = 1;
    return caller;
}

}  // namespace entrepot
