#pragma once

#include "drivers/sql/sql_session.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"
#include "ports/trash_catalog.hpp"

#include <cstdint>

namespace entrepot {

// The way back from the trash, to be called inside a transaction; the port says what each answers.

enum class TrashTags {
    where_free,  // a tag that is elsewhere now stays there
    force,       // unless a rule holds it there
    none,
};

// Brings back at most `limit` manifests of the entry; `done` when it has none left.
struct RestoredPart {
    RestoredTrash restored;
    bool done = false;
};
Result<RestoredPart>
restore_trash(SqlSession& session, const TrashEntry& entry, TrashTags tags, std::int64_t limit, const Actor& actor);

Result<TagsAt>
plan_return(SqlSession& session, const RepositoryName& name, Micros time, bool exact, std::int64_t limit);
Result<TagsAt> make_return(
    SqlSession& session, const RepositoryName& name, Micros time, bool exact, std::int64_t limit, const Actor& actor
);

// not_found.
Result<TrashEntry> find_trash(SqlSession& session, std::int64_t project_id, std::int64_t id);

}  // namespace entrepot
