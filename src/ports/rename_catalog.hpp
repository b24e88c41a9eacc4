#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// A name that is kept for what has another one now: nothing else takes it, and what is pulled by it is found.
struct FormerName {
    std::int64_t id = 0;
    std::string name;      // of a project, or of a repository with what its project is called today
    std::string leads_to;  // what it is called today
    Micros at = 0;
    std::int64_t user_id = 0;
};

// Renames, each in one transaction. A former name leads to the thing itself, so it never leads in a circle or through
// another one. It is kept until it is given up, the thing gets it back, or the thing is removed. Durable when
// acknowledged; unavailable, storage_full.
class RenameCatalog {
public:
    virtual ~RenameCatalog() = default;

    // Also into another project, whose quota then counts what is new to it; labels of the old project stay behind.
    // name_unknown without the repository or the project; conflict when the name is taken, or kept for another one;
    // precondition_failed while the repository has immutable tags; quota_exceeded.
    virtual Task<> rename_repository(RepositoryName from, RepositoryName into, Actor actor) = 0;

    // With all its repositories. name_unknown; conflict as above; name_invalid when a repository's name gets too long.
    virtual Task<> rename_project(std::int64_t id, ProjectName name, Actor actor) = 0;

    // The project's own former names, and those of repositories that were in it. Newest first; fields: id, name.
    virtual Task<ListPage<FormerName>> former_names(std::int64_t project_id, ListQuery query) = 0;
    // Whoever may takes it from now on. not_found.
    virtual Task<> give_up(std::int64_t project_id, std::int64_t id, Actor actor) = 0;
};

}  // namespace entrepot
