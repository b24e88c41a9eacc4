#pragma once

#include "api/management/api_values.hpp"
#include "ports/audit_trail.hpp"
#include "ports/grant_catalog.hpp"
#include "ports/group_catalog.hpp"
#include "ports/tenant_catalog.hpp"
#include "tenancy/granting.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <string_view>

namespace entrepot {

// Tenants, teams, grants, roles and groups as JSON, and what requests name them by. Harbor's shapes where Harbor has
// them; ours are described in docs/api/openapi.yaml.

boost::json::object as_json(const Tenant& tenant);
boost::json::object as_json(const TenantQuota& quota);
boost::json::object as_json(const Team& team);
boost::json::object as_json(const TeamMember& member);
boost::json::object as_json(const Grant& grant);
boost::json::object as_json(const Role& role);
boost::json::object as_json(const ExternalGroup& group);
boost::json::object as_json(const GrantSubject& subject);  // {"kind","id","name"}
boost::json::object short_json(const Role& role);          // {"id","name"}
// A grant as a member of its project (Harbor's ProjectMemberEntity).
boost::json::object member_json(const Grant& grant);

// {"user_id"} or {"username"}; bad_request when there is neither.
Result<SubjectRef> user_of(const JsonBody& body);
// "role": {"id"} or {"name"} or just a name, or "role_id"; nothing when none is there.
Result<RoleRef> role_of(const JsonBody& body);
// An id from 1 on where the field is there; 0: it is not. bad_request.
Result<std::int64_t> id_of(const JsonBody& body, std::string_view name);

// What the audit trail is told of a change.
struct AuditedChange {
    std::string_view type;
    std::string_view name;
    std::int64_t tenant_id = 0;
    std::int64_t project_id = 0;
};
void tell(
    AuditRecord* audit, const AuditedChange& change, const boost::json::object* before, const boost::json::object* after
);

}  // namespace entrepot
