#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/tenant_catalog.hpp"

#include <cstdint>

namespace entrepot {

// A new team with the rights that it starts with, inside a transaction that holds its tenant: its id. conflict when
// the tenant has one of this name.
Result<std::int64_t>
insert_team(SqlSession& session, std::int64_t tenant_id, const NewTeam& team, bool implicit, const Actor& actor);

}  // namespace entrepot
