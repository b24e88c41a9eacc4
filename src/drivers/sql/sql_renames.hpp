#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/rename_catalog.hpp"

namespace entrepot {

// RenameCatalog on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlRenames final : public RenameCatalog {
public:
    SqlRenames(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<> rename_repository(RepositoryName from, RepositoryName into, Actor actor) override;
    Task<> rename_project(std::int64_t id, ProjectName name, Actor actor) override;
    Task<ListPage<FormerName>> former_names(std::int64_t project_id, ListQuery query) override;
    Task<> give_up(std::int64_t project_id, std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
