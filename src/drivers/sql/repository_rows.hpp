#pragma once

#include "access/site_role.hpp"
#include "core/clock.hpp"
#include "drivers/sql/sql_session.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"
#include "ports/blob_state.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// The rows that several catalogs share: repositories, blob links, and the bytes a project is charged for. To be called
// inside a transaction. Whoever changes what a repository holds locks its row first, so that changes within a
// repository come one after another; those of several repositories of a project don't wait for each other. Only who
// creates a repository, or has to see whether a limit still holds, locks the project's row.

struct RepositoryRow {
    std::int64_t project_id = 0;
    std::int64_t id = 0;
    std::int64_t tenant_id = 0;
    bool limited = false;  // the project or its tenant has a quota
    bool claimed = false;  // what this transaction adds was checked before, see project_budget.hpp
    bool guarded = false;  // the project has immutability rules
    bool has_push_policies = false;
    Micros trash_keep = 0;  // how long what goes can be brought back; 0: not at all
    SiteRole site = SiteRole::none;
    std::int64_t home_epoch = 0;
};

struct BlobRow {
    std::int64_t id = 0;
    std::uint64_t size = 0;
    BlobState state = BlobState::live;
    Micros unused_since = 0;  // of its link; 0: a manifest of the repository uses it
};

Result<std::optional<std::int64_t>> find_repository(SqlSession& session, const RepositoryName& name);

// Locks the repository; creates it where it isn't there yet. name_unknown without a project; denied where the name is
// kept for a repository that was renamed.
Result<RepositoryRow> enter_repository(SqlSession& session, const RepositoryName& name, Micros now);

// Without a lock; nullopt without a repository.
Result<std::optional<RepositoryRow>> find_place(SqlSession& session, const RepositoryName& name);

// Locks the repository; nullopt without one.
Result<std::optional<RepositoryRow>> lock_repository(SqlSession& session, const RepositoryName& name);

Result<std::optional<BlobRow>> find_linked_blob(SqlSession& session, const RepositoryName& name, const Digest& digest);

// Whether the blob is in some repository of the project already, so that one more adds no bytes.
Result<bool> project_holds(SqlSession& session, std::int64_t project_id, const Digest& digest);

// The same for somebody who is about to link it elsewhere: until then it can't be condemned. nullopt also when its
// bytes are leaving or lost.
Result<std::optional<BlobRow>> lock_linked_blob(SqlSession& session, const RepositoryName& name, const Digest& digest);

// Each does nothing when there is nothing to do, and charges or frees the project's bytes. The blob that is linked has
// been locked, and its bytes are there; the one that no repository holds any more is condemned.
Result<> link_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob, Micros now);
Result<> unlink_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob, Micros now);
// The link has been deleted: what the project and the blob make of it.
Result<> release_link(SqlSession& session, std::int64_t project_id, const BlobRow& blob, Micros now);

// Of a project that is about to be removed: locks its repositories, so that nobody pushes into them; and removes them,
// of which none holds anything.
Result<> lock_repositories(SqlSession& session, std::int64_t project_id);
Result<> remove_empty_repositories(SqlSession& session, std::int64_t project_id);

// name_unknown, naming the repository.
std::unexpected<Error> no_such_repository(const RepositoryName& name);

}  // namespace entrepot
