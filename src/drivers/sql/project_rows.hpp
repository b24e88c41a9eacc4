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

}  // namespace entrepot
