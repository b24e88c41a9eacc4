#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/artifact_catalog.hpp"

namespace entrepot {

// ArtifactCatalog on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlArtifacts final : public ArtifactCatalog {
public:
    SqlArtifacts(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<ListPage<ListedArtifact>> of_repository(RepositoryName name, ListQuery query, ArtifactParts parts) override;
    Task<ListPage<ListedArtifact>>
    of_project(std::int64_t project_id, ListQuery query, ArtifactParts parts, bool latest_only) override;
    Task<ListedArtifact> find(RepositoryName name, Reference reference, ArtifactParts parts) override;
    Task<> remove(RepositoryName name, Reference reference, Actor actor) override;
    Task<Digest> copy(RepositoryName from, Reference reference, RepositoryName into, Actor actor) override;
    Task<ListPage<TagRecord>> tags(RepositoryName name, Reference reference, ListQuery query) override;
    Task<> add_tag(RepositoryName name, Reference reference, Tag tag, Actor actor) override;
    Task<> remove_tag(RepositoryName name, Reference reference, Tag tag, Actor actor) override;
    Task<ListPage<AccessoryRecord>> accessories(RepositoryName name, Reference reference, ListQuery query) override;
    Task<> add_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor) override;
    Task<> remove_label(RepositoryName name, Reference reference, std::int64_t label_id, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
