#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/repository_catalog.hpp"

namespace entrepot {

// RepositoryCatalog on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlRepositories final : public RepositoryCatalog {
public:
    SqlRepositories(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<ListPage<RepositoryRecord>> of_project(std::int64_t project_id, ListQuery query) override;
    Task<ListPage<RepositoryRecord>>
    of_projects(std::optional<std::vector<std::int64_t>> project_ids, ListQuery query) override;
    Task<RepositoryRecord> find(RepositoryName name) override;
    Task<RepositoryRecord> of_id(std::int64_t id) override;
    Task<> describe(RepositoryName name, std::string description, Actor actor) override;
    Task<std::vector<UploadId>> remove(RepositoryName name, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
