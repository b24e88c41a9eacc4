#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <string_view>

namespace entrepot {

// Within the transaction that changes a repository of a synchronous project: who may, and what other sites lack by it.
// Each costs nothing where the project is none. The repository is locked, and whoever changes a project's role locks
// all of them, so what is answered holds to the transaction's end.

// denied (naming the home) for clients of a follower; precondition_failed for a home that isn't it any more.
Result<> check_site(SqlSession& session, const RepositoryRow& place, const Actor& actor);
// The reference leads to `digest` now (empty: nowhere), and every site may hold something else.
Result<> note_lacking_sites(
    SqlSession& session,
    const RepositoryRow& place,
    std::string_view reference,
    std::string_view digest,
    const Actor& actor
);
// The tag leads to this manifest now; 0: nowhere. At the home every site may hold something else. Where a follower's
// tag is changed by the home, what this site had acknowledged by itself while it was the home, and nobody had brought
// elsewhere, is overruled: an event says which digest it was.
Result<> note_tag_of_sites(
    SqlSession& session, const RepositoryRow& place, std::string_view tag, std::int64_t manifest_id, const Actor& actor
);
// The same for a manifest that is about to go, with all its tags.
Result<> note_removal_of_sites(
    SqlSession& session,
    const RepositoryRow& place,
    std::int64_t manifest_id,
    std::string_view digest,
    const Actor& actor
);
// precondition_failed: nothing in a project of several sites gets another name.
Result<> check_not_synchronous(SqlSession& session, std::int64_t project_id);

}  // namespace entrepot
