#pragma once

#include "drivers/sql/sql_session.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// Former names as several catalogs need them, and the transactions behind RenameCatalog. To be called inside one.

// conflict while the name is kept for a project other than `but`, or for a repository. Whoever takes a name asks after
// having written its row, so that a rename that was under way is seen.
Result<> check_project_name_free(SqlSession& session, std::string_view name, std::int64_t but = 0);
// The same for a repository that a push is about to create: denied.
Result<> check_path_free(SqlSession& session, std::int64_t project_id, const RepositoryName& name);

// Former names are about to lead nowhere, with the repository, or with all of a project.
Result<> forget_former_names(SqlSession& session, std::int64_t repository_id);
Result<> forget_former_names_into(SqlSession& session, std::int64_t project_id);

Result<>
move_repository(SqlSession& session, const RepositoryName& from, const RepositoryName& into, const Actor& actor);

// What a project's repositories were called until now.
Result<std::vector<std::string>>
change_project_name(SqlSession& session, std::int64_t id, const ProjectName& name, const Actor& actor);

}  // namespace entrepot
