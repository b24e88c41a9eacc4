#pragma once

#include "access/permission.hpp"
#include "access/role.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Who a grant can be given to. The first three are principals and share one space of ids.
enum class SubjectType : std::uint8_t { user, robot, workload, team, group };
std::string_view name_of(SubjectType type) noexcept;
std::optional<SubjectType> subject_type_named(std::string_view name) noexcept;
constexpr bool is_principal(SubjectType type) noexcept
{
    return type <= SubjectType::workload;
}

// One row of the grants table with the names that people know its parts by.
struct Grant {
    std::int64_t id = 0;
    SubjectType subject_type = SubjectType::user;
    std::int64_t subject_id = 0;
    std::string subject_name;
    ObjectKind object_kind = ObjectKind::platform;
    std::int64_t object_id = 0;  // a project's, or a tenant's for what is neither project nor platform
    std::string object_name;
    std::int64_t tenant_id = 0;  // of the object; 0: the platform
    std::string pattern;
    std::int64_t role_id = 0;
    std::string role_name;
    std::string permissions;  // "resource:action …" where no role is named
    Micros expires_at = 0;    // 0: never
    std::string origin;       // where it came from: "api", "harbor", "template", "first-user", "owner" …
    std::int64_t created_by = 0;
    Micros created_at = 0;
};

struct NewGrant {
    SubjectType subject_type = SubjectType::user;
    std::int64_t subject_id = 0;
    std::int64_t member_of = 0;  // the tenant that a user must (still) be a member of; 0: does not matter
    ObjectKind object_kind = ObjectKind::platform;
    std::int64_t object_id = 0;
    std::string pattern;
    std::int64_t role_id = 0;
    Micros expires_at = 0;
    std::string origin;
    bool only_project_role = false;  // conflict also where the subject has another of Harbor's five on the project
};

// Somebody whom a grant could be given to, and what tells whether others may know of them.
struct GrantSubject {
    SubjectType type = SubjectType::user;
    std::int64_t id = 0;
    std::string name;
    std::vector<std::int64_t> tenants;  // a principal's; the one of a team
    std::int64_t project_id = 0;        // a project robot's
};

// Which grants somebody may list: those on everything, on these tenants with all that is in them, on these projects.
struct GrantReach {
    bool everything = false;
    std::vector<std::int64_t> tenants;
    std::vector<std::int64_t> projects;
};

// Every method is one transaction; changes are durable when acknowledged. unavailable, storage_full.
class GrantCatalog {
public:
    virtual ~GrantCatalog() = default;

    // bad_request for a query that names what a grant hasn't.
    virtual Task<ListPage<Grant>> list(GrantReach reach, ListQuery query) = 0;
    virtual Task<Grant> find(std::int64_t id) = 0;  // not_found
    // All that a subject holds, for the question whether somebody else may pass it on.
    virtual Task<std::vector<Grant>> held_by(SubjectType type, std::int64_t subject_id) = 0;
    // The users, teams and groups that have one of Harbor's five roles on a whole project, the expired ones left out.
    // `name` is a part of their names, or empty.
    virtual Task<ListPage<Grant>>
    project_members(std::int64_t project_id, std::string name, Micros now, std::int64_t offset, std::int64_t limit) = 0;

    virtual Task<GrantSubject> find_subject(SubjectType type, std::int64_t id) = 0;  // not_found
    // A team's name is one in `tenant_id`. not_found.
    virtual Task<GrantSubject> find_subject(SubjectType type, std::string name, std::int64_t tenant_id) = 0;

    // conflict when it is there already (an expired one is replaced); not_found when subject, object or role is gone.
    virtual Task<Grant> create(NewGrant grant, Actor actor) = 0;
    // not_found; precondition_failed for the grant of the last enabled platform admin.
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;
    virtual Task<Grant> set_role(std::int64_t id, std::int64_t role_id, Actor actor) = 0;  // and conflict
    // Those that expired before `before`, some hundreds at a time: how many went.
    virtual Task<std::int64_t> remove_expired(Micros before) = 0;
};

// The roles that people made. Otherwise as GrantCatalog.
class RoleCatalog {
public:
    virtual ~RoleCatalog() = default;

    virtual Task<std::vector<Role>> all() = 0;                // by id
    virtual Task<Role> create(Role role, Actor actor) = 0;    // conflict; the id is given by the store
    virtual Task<Role> change(Role role, Actor actor) = 0;    // not_found, conflict
    virtual Task<> remove(std::int64_t id, Actor actor) = 0;  // not_found; precondition_failed while it is granted
};

}  // namespace entrepot
