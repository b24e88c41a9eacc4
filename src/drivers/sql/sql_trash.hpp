#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/trash_catalog.hpp"

namespace entrepot {

// What was deleted, on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlTrash final : public TrashCatalog {
public:
    SqlTrash(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<> keep_for(Micros window) override;
    Task<ListPage<TrashEntry>> list(std::int64_t project_id, ListQuery query) override;
    Task<TrashEntry> find(std::int64_t project_id, std::int64_t id) override;
    Task<RestoredTrash> restore(std::int64_t project_id, std::int64_t id, bool force_tags, Actor actor) override;
    Task<> empty(std::int64_t project_id, std::int64_t id, Actor actor) override;
    Task<std::int64_t> empty_all(std::int64_t project_id, Actor actor) override;
    Task<TrashTotals> totals() override;
    Task<TagsAt> plan(RepositoryName repository, Micros time, bool exact, std::int64_t limit) override;
    Task<TagsAt> go_back(RepositoryName repository, Micros time, bool exact, std::int64_t limit, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
