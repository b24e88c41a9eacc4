#pragma once

#include "drivers/sql/sql_session.hpp"

#include <cstdint>

namespace entrepot {

// What several catalogs ask of tenants inside their transactions. Whoever changes what a tenant holds (its members,
// teams and projects, what it allocates to them) locks its row first, and before a project's.

Result<> lock_tenant(SqlSession& session, std::int64_t id);  // not_found

// not_found when they are none. With the tenant locked it stays so until the transaction ends.
Result<> expect_tenant_member(SqlSession& session, std::int64_t tenant_id, std::int64_t user_id);

// unprocessable, naming the largest projects, when the limits of the tenant's projects add up to more than its own.
// For everybody who changes one of these limits or a project's tenant, after the change.
Result<> check_tenant_allocation(SqlSession& session, std::int64_t tenant_id);

}  // namespace entrepot
