#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/tag_history_catalog.hpp"

namespace entrepot {

// `cache` is null where other processes write too. Engine and cache outlive it.
class SqlTagHistory final : public TagHistoryCatalog {
public:
    SqlTagHistory(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<ListPage<TagChange>> of_tag(RepositoryName repository, Tag tag, ListQuery query) override;
    Task<ListPage<TagChange>> at(RepositoryName repository, Micros time, ListQuery query) override;
    Task<Digest> restore(RepositoryName repository, Tag tag, Moment moment, Actor actor) override;
    Task<std::int64_t> forget_before(Micros time, std::int64_t limit) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
