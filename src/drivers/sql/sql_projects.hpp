#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/project_catalog.hpp"

namespace entrepot {

// Projects on any SqlEngine, which outlives it.
class SqlProjects final : public ProjectCatalog {
public:
    explicit SqlProjects(SqlEngine& engine) : engine_{engine} {}

    Task<std::vector<Project>> all() override;
    Task<Project> find(ProjectName name) override;
    Task<Project> create(NewProject project, Actor actor) override;
    Task<Project> set_public(ProjectName name, bool is_public, Actor actor) override;
    Task<> remove(ProjectName name, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
