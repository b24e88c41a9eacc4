#pragma once

#include "api/management/api_values.hpp"
#include "ports/group_catalog.hpp"

namespace entrepot {

// Harbor's UserGroup in a request: group_type 1 is LDAP, which needs ldap_group_dn (and may leave group_name to it),
// 2 an HTTP proxy's, 3 OIDC; those need group_name. bad_request.
Result<ExternalGroup> group_of(const JsonBody& body);
// As a member of a project: an id is enough, and a group without a type is one of OIDC, or of LDAP when it has a DN.
Result<ExternalGroup> member_group_of(const JsonBody& body);

}  // namespace entrepot
