#pragma once

#include "core/clock.hpp"
#include "drivers/sql/sql_session.hpp"
#include "oci/digest.hpp"
#include "oci/names.hpp"

#include <cstdint>
#include <optional>

namespace entrepot {

// The rows that several catalogs share: repositories, blob links, and the bytes a project is charged for. To be called
// inside a transaction. Whoever changes what a repository holds locks its project's row first, so that changes within
// a project come one after another and no two transactions wait for each other.

struct RepositoryRow {
    std::int64_t project_id = 0;
    std::int64_t id = 0;
    bool guarded = false;  // the project has immutability rules
    bool has_push_policies = false;
};

struct BlobRow {
    std::int64_t id = 0;
    std::uint64_t size = 0;
};

Result<std::optional<std::int64_t>> find_repository(SqlSession& session, const RepositoryName& name);

// Locks the project; creates the repository where it isn't there yet. name_unknown without a project.
Result<RepositoryRow> enter_repository(SqlSession& session, const RepositoryName& name, Micros now);

// Locks the project; nullopt without a repository.
Result<std::optional<RepositoryRow>> lock_repository(SqlSession& session, const RepositoryName& name);

Result<std::optional<BlobRow>> find_linked_blob(SqlSession& session, const RepositoryName& name, const Digest& digest);

// Each does nothing when there is nothing to do, and charges or frees the project's bytes.
Result<> link_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob, Micros now);
Result<> unlink_blob(SqlSession& session, const RepositoryRow& repository, const BlobRow& blob);
Result<> charge_bytes(SqlSession& session, std::int64_t project_id, std::int64_t bytes);

// The repositories of a project in which none holds anything: it is about to be removed.
Result<> remove_empty_repositories(SqlSession& session, std::int64_t project_id);

// name_unknown, naming the repository.
std::unexpected<Error> no_such_repository(const RepositoryName& name);

}  // namespace entrepot
