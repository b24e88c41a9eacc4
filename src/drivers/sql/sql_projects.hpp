#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/project_catalog.hpp"

namespace entrepot {

// Projects on any SqlEngine, which outlives it.
class SqlProjects final : public ProjectCatalog {
public:
    explicit SqlProjects(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Project>> list(ListQuery query, std::optional<std::vector<std::int64_t>> visible) override;
    Task<Project> find(ProjectName name) override;
    Task<Project> find(std::int64_t id) override;
    Task<Project> create(NewProject project, Actor actor) override;
    Task<Project> change(std::int64_t id, ProjectChange change, Actor actor) override;
    Task<Project> set_quota(std::int64_t id, ProjectQuota quota, Actor actor) override;
    Task<std::string> obstacle(std::int64_t id) override;
    Task<> remove(std::int64_t id, Actor actor) override;
    Task<std::map<std::int64_t, std::int64_t>> grants_by_role(std::int64_t id, Micros now) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
