#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/project_catalog.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace entrepot {

// Who sees more projects than this has them picked out here and not by the engine, whose statements take a bounded
// number of parameters.
inline constexpr std::size_t most_ids_in_statement = 4096;

// Rows of projects as several catalogs need them. To be called inside a transaction.

Result<ListPage<Project>>
list_projects(SqlSession& session, const ListQuery& query, const std::optional<std::vector<std::int64_t>>& visible);
Result<Project> find_project(SqlSession& session, std::int64_t id);
Result<Project> find_project(SqlSession& session, const ProjectName& name);

// Locks the tenant's row, so that allocations within it come one after another. not_found.
Result<> lock_tenant(SqlSession& session, std::int64_t tenant_id);
// Whether the limits of the tenant's projects fit into the tenant's own: unprocessable when they don't. A project
// without a limit counts for nothing: it shares what the tenant has.
Result<> check_allocation(SqlSession& session, std::int64_t tenant_id);

}  // namespace entrepot
