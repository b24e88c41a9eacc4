#pragma once

#include "drivers/sql/sql_session.hpp"
#include "oci/names.hpp"
#include "ports/artifact_catalog.hpp"

#include <cstdint>

namespace entrepot {

// The transactions behind ArtifactCatalog's lists, to be called inside one. A list without conditions, in the order of
// pushing, is one walk along an index over rows that hold everything, its total a count that is kept; any other is
// whatever the database makes of it.

Result<ListPage<ListedArtifact>>
list_of_repository(SqlSession& session, const RepositoryName& name, const ListQuery& query, const ArtifactParts& parts);
Result<ListPage<ListedArtifact>> list_of_project(
    SqlSession& session, std::int64_t project_id, const ListQuery& query, const ArtifactParts& parts, bool latest_only
);
Result<ListedArtifact>
find_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference, const ArtifactParts& parts);
Result<ListPage<TagRecord>>
list_artifact_tags(SqlSession& session, const RepositoryName& name, const Reference& reference, const ListQuery& query);
Result<ListPage<AccessoryRecord>> list_artifact_accessories(
    SqlSession& session, const RepositoryName& name, const Reference& reference, const ListQuery& query
);

// The manifest that a reference names, and its project. name_unknown, manifest_unknown.
struct FoundArtifact {
    std::int64_t id = 0;
    std::int64_t repository_id = 0;
    std::int64_t project_id = 0;
    std::string digest;
};
Result<FoundArtifact> resolve_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference);

}  // namespace entrepot
