#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/tag_inventory.hpp"

namespace entrepot {

// `cache` is null where other processes write too. Engine and cache outlive it.
class SqlTagInventory final : public TagInventory {
public:
    SqlTagInventory(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<std::vector<Place>> repositories(std::int64_t project_id, std::string after, std::int64_t limit) override;
    Task<std::vector<RetentionCandidate>> tags(Place place, std::string after, std::int64_t limit, Micros now) override;
    Task<std::vector<RetentionCandidate>>
    untagged(Place place, std::int64_t after, std::int64_t limit, Micros now) override;
    Task<Removed> remove(RepositoryName repository, std::vector<RetentionCandidate> doomed, Actor actor) override;
    Task<Micros> expiry(RepositoryName repository, Tag tag) override;
    Task<> set_expiry(RepositoryName repository, Tag tag, Micros at) override;
    Task<std::vector<ExpiredTag>> expired(Micros now, std::int64_t limit) override;
    Task<> postpone_expiry(ExpiredTag tag, Micros until) override;
    Task<> use(std::int64_t project_id, std::string source, std::vector<ImageInUse> images) override;
    Task<ListPage<ImageInUse>> in_use(std::int64_t project_id, Micros now, ListQuery query) override;
    Task<> forget_unused(Micros now) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
