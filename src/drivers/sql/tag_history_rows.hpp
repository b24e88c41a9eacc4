#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string_view>

namespace entrepot {

// What a tag pointed at, a row for each state it was in, written with the change itself. `until` is when the next
// began, 0 for the one that lasts; the row of a deletion ends where it begins.

// The tag points at this manifest now; `previous` is the digest that it pointed at, empty for a new tag.
Result<> remember_tag(
    SqlSession& session,
    const RepositoryRow& place,
    std::string_view tag,
    std::int64_t manifest_id,
    std::string_view previous,
    const Actor& actor
);
// The tag, or all tags of the manifest, are about to go.
Result<> remember_untag(SqlSession& session, const RepositoryRow& place, std::string_view tag, const Actor& actor);
Result<> remember_untag_all(SqlSession& session, std::int64_t manifest_id, const Actor& actor);

}  // namespace entrepot
