#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/garbage_catalog.hpp"

namespace entrepot {

// Garbage on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlGarbage final : public GarbageCatalog {
public:
    SqlGarbage(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<std::vector<DeadManifest>> dead_manifests(Dead which, Micros before, std::int64_t limit) override;
    Task<Removed> remove_manifests(
        RepositoryName repository, std::vector<std::int64_t> ids, Dead which, Micros before, Actor actor
    ) override;
    Task<std::int64_t> expire_trash(Micros now, std::int64_t limit) override;
    Task<std::vector<UnusedLink>> unused_links(Micros before, std::int64_t limit) override;
    Task<std::uint64_t> sweep_links(std::int64_t project_id, std::vector<UnusedLink> links, Actor actor) override;
    Task<std::vector<StoredBlob>> claim(Micros before, std::int64_t limit) override;
    Task<> forget() override;
    Task<> condemn_unknown(std::vector<StoredBlob> blobs, Actor actor) override;
    Task<GarbageEstimate> estimate(Dead which, Micros manifests_before, Micros links_before) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
