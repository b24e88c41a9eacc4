#pragma once

#include "access/identity.hpp"
#include "access/permission.hpp"
#include "access/project_source.hpp"
#include "access/role.hpp"
#include "access/site_role.hpp"
#include "core/clock.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// What decisions about access are made from, as values: grants, projects, tenants, principals, and how they changed.

// Who holds a grant: a principal, a team or an external group.
enum class SubjectKind : std::uint8_t { principal, team, group };
struct SubjectKey {
    SubjectKind kind = SubjectKind::principal;
    std::int64_t id = 0;
    auto operator<=>(const SubjectKey&) const = default;
};

// One row of the grants table, as decisions see it. It names a role, or carries permissions of its own (robots).
struct GrantEntry {
    std::int64_t id = 0;
    SubjectKey subject;
    std::int64_t role_id = 0;                            // 0: `permissions`
    std::shared_ptr<const PermissionSet> permissions{};  // null where a role is named
    std::string pattern;  // repositories (doublestar, below the project) or "cluster/partition"; empty: all
    ObjectKind kind = ObjectKind::project;
    Micros expires_at = 0;  // 0: never
};

// Where a repository has been moved to that once was somewhere else.
struct MovedRepository {
    std::int64_t project_id = 0;
    std::string path;  // below that project
};

struct ProjectAccess {
    std::int64_t id = 0;
    std::string name;
    std::int64_t tenant_id = 0;
    std::int64_t owner_id = 0;
    bool is_public = false;
    bool shared = false;  // every user of every tenant may read it
    bool frozen = false;
    std::int64_t registry_id = 0;             // that it is a proxy cache of; 0: none
    std::shared_ptr<const SiteState> site{};  // null where no other site has a part in it
    std::vector<ProjectSource> sources{};     // where pulls look for what it doesn't have, in this order
    std::vector<GrantEntry> grants;           // on the project and on repository patterns in it
    std::vector<std::string> former_names;
    // By the paths below the project that repositories have left.
    std::map<std::string, MovedRepository, std::less<>> moved;
};

struct TenantAccess {
    std::int64_t id = 0;
    std::string name;
    bool frozen = false;
    std::vector<GrantEntry> grants;  // on the tenant and on what other systems administer in it
};

// What decisions need to know of a principal.
struct PrincipalAccess {
    std::int64_t id = 0;
    bool disabled = false;
    std::int64_t credential_version = 0;
    Micros expires_at = 0;                    // of a robot; 0: never
    std::vector<SubjectKey> subjects;         // teams (with the implicit ones of its tenants) and groups; not itself
    std::vector<std::int64_t> tenants;        // it is a member of
    std::vector<std::int64_t> access_tokens;  // live personal access tokens, ascending
};

// What changed in the metadata store: whole new entries in place of older ones. `complete`: all there is.
struct AccessChanges {
    std::int64_t version = 0;
    bool complete = false;
    std::vector<ProjectAccess> projects;
    std::vector<TenantAccess> tenants;
    std::vector<PrincipalAccess> principals;
    std::optional<std::vector<GrantEntry>> platform_grants;
    std::optional<std::vector<Role>> custom_roles;
    std::vector<std::int64_t> removed_projects;
    std::vector<std::int64_t> removed_tenants;
    std::vector<std::int64_t> removed_principals;
};

// Why a decision fell as it did.
struct Explanation {
    bool allowed = false;
    std::string reason;         // one sentence
    std::int64_t grant_id = 0;  // of the grant that allows; 0: none, or the project is public
    std::int64_t role_id = 0;
    std::optional<SubjectKey> through;  // the subject that holds it: the principal itself, a team or a group
};

}  // namespace entrepot
