#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/synchronous_catalog.hpp"

#include <cstdint>
#include <vector>

namespace entrepot {

std::unexpected<Error> no_project_of_sites();  // name_unknown

// As SynchronousCatalog's methods of reading do.
Result<Synchronisation> find_synchronisation(SqlSession& session, std::int64_t project_id);
Result<Synchronisation> find_members(SqlSession& session, std::int64_t project_id);
Result<std::vector<Synchronisation>> all_synchronisations(SqlSession& session);
// Without what they lack.
Result<std::vector<SynchronousSite>> sites_of(SqlSession& session, std::int64_t project_id);

}  // namespace entrepot
