#pragma once

#include "ports/group_catalog.hpp"
#include "tenancy/granting.hpp"

#include <optional>

namespace entrepot {

// Harbor's members of a project, a view of the grants table that writes through: the users, teams and groups that were
// granted one of Harbor's five roles on the whole project. A member's id is its grant's. Callers see the project.
class ProjectMembers {
public:
    ProjectMembers(Granting& granting, GroupCatalog& groups) : granting_{granting}, groups_{groups} {}

    // Members whose name contains `name`.
    Task<ListPage<Grant>>
    list(Caller caller, std::int64_t project_id, std::string name, std::int64_t offset, std::int64_t limit);
    Task<Grant> find(Caller caller, std::int64_t project_id, std::int64_t id);  // not_found, denied
    // A group that is named and not known yet is made. not_found, denied, conflict, bad_request (no such role).
    Task<Grant> add_user(Caller caller, std::int64_t project_id, SubjectRef user, std::int64_t role_id);
    Task<Grant> add_group(Caller caller, std::int64_t project_id, ExternalGroup group, std::int64_t role_id);
    // Each answers what it was before. not_found, denied, conflict, bad_request.
    Task<Grant> set_role(Caller caller, std::int64_t project_id, std::int64_t id, std::int64_t role_id);
    Task<Grant> remove(Caller caller, std::int64_t project_id, std::int64_t id);

private:
    Task<Grant> member(std::int64_t project_id, std::int64_t id);
    Result<> may_give(const Caller& caller, std::int64_t project_id, std::int64_t role_id) const;
    Task<Grant> add(Caller caller, std::int64_t project_id, GrantSubject subject, std::int64_t role_id);

    Granting& granting_;
    GroupCatalog& groups_;
};

}  // namespace entrepot
