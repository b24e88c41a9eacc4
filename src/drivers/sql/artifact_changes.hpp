#pragma once

#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/sql_session.hpp"
#include "oci/names.hpp"
#include "ports/artifact_catalog.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstdint>
#include <vector>

namespace entrepot {

// The transactions behind ArtifactCatalog's changes, to be called inside one; the port says what each answers.

Result<>
remove_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference, const Actor& actor);
// The artifact with what belonged to it alone, whatever holds it. `untagged`: what it was called until this step.
Result<> remove_artifact_tree(
    SqlSession& session,
    const RepositoryRow& place,
    const RepositoryName& name,
    std::int64_t id,
    const Actor& actor,
    std::vector<std::string> untagged = {}
);
Result<> add_artifact_tag(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const Tag& tag, const Actor& actor
);
Result<> remove_artifact_tag(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const Tag& tag, const Actor& actor
);
Result<> add_artifact_label(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    std::int64_t label_id,
    const Actor& actor
);
Result<> remove_artifact_label(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    std::int64_t label_id,
    const Actor& actor
);

// A copy, step by step: each manifest is one transaction, children before their index, accessories last.
struct CopyStep {
    Digest digest;
    bool root = false;
    std::string with{};  // the root's digest, of what comes along
};
Result<std::vector<CopyStep>>
plan_copy(SqlSession& session, const RepositoryName& from, const Reference& reference, const RepositoryName& into);
// What belongs to one manifest, itself with it. unprocessable for too much.
Result<std::vector<CopyStep>>
copy_steps(SqlSession& session, std::int64_t repository_id, std::int64_t manifest_id, const std::string& digest);
// The manifest as it is to be committed into the other repository.
Result<NewManifest> read_for_copy(
    SqlSession& session,
    const RepositoryName& from,
    const CopyStep& step,
    const RepositoryName& into,
    const Actor& actor
);
// Links its blobs from there and commits it.
Result<> write_copy(SqlSession& session, const RepositoryName& from, const NewManifest& manifest);

}  // namespace entrepot
