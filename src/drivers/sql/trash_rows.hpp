#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"
#include "oci/names.hpp"
#include "ports/actor.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// Where manifests go that leave a repository, in the transaction in which they do. An entry of the trash holds the
// blobs of its manifests as a repository's links do: it counts in project_blobs, and a blob that it holds is never
// condemned. So the protocol of garbage collection knows it as one more holder (docs/flows/garbage-collection.md).
// Locks are taken in the order repository, entry, blobs.

// For one deletion: what is put here is one entry. The repository is locked.
class TrashBin {
public:
    TrashBin(SqlSession& session, const RepositoryRow& place, const Actor& actor)
        : session_{session}, place_{place}, actor_{actor}
    {
    }

    // This one lost its tags in the same step before it goes: they come back with it.
    void untagged(std::int64_t manifest_id, std::vector<std::string> tags);
    // The manifest is about to go, and is still as it was. Nothing where nothing is kept.
    Result<> put(std::int64_t manifest_id);
    // Only with an entry that has its subject, or an index that lists it: then it comes back with that.
    Result<> put_with_kin(std::int64_t manifest_id);

    // The whole repository goes, in several transactions: the first gets 0 and says the entry's id to the others. 0
    // again where nothing is kept.
    Result<std::int64_t> put_repository(std::int64_t entry_id);

private:
    Result<> copy(std::int64_t manifest_id, std::int64_t entry_id);

    SqlSession& session_;
    RepositoryRow place_;
    Actor actor_;
    std::int64_t entry_id_ = 0;
    std::int64_t untagged_id_ = 0;
    std::vector<std::string> taken_tags_;
    bool whole_ = false;
};

// Lets go of what these manifests of the trash hold, and of them. Who comes second finds nothing to do.
Result<> release_trash(SqlSession& session, std::span<const std::int64_t> manifest_ids, Micros now);

// At most `limit` manifests of the project, with their entries: how many manifests and entries it let go of.
struct EmptiedTrash {
    std::int64_t manifests = 0;
    std::int64_t entries = 0;  // those that were restored before don't count
    bool all = false;          // nothing is left
};
Result<EmptiedTrash> empty_project_trash(SqlSession& session, std::int64_t project_id, std::int64_t limit, Micros now);

// At most `limit` manifests whose window ended at `now` or before, with their entries: how many manifests.
Result<std::int64_t> release_expired_trash(SqlSession& session, Micros now, std::int64_t limit);

}  // namespace entrepot
