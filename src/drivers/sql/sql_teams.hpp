#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/tenant_catalog.hpp"

namespace entrepot {

// Teams on any SqlEngine, which outlives them.
class SqlTeams final : public TeamCatalog {
public:
    explicit SqlTeams(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Team>> list(std::int64_t tenant_id, ListQuery query) override;
    Task<Team> find(std::int64_t tenant_id, std::int64_t id) override;
    Task<Team> implicit(std::int64_t tenant_id) override;
    Task<Team> create(std::int64_t tenant_id, NewTeam team, Actor actor) override;
    Task<Team> change(
        std::int64_t tenant_id,
        std::int64_t id,
        std::optional<std::string> name,
        std::optional<std::string> description,
        Actor actor
    ) override;
    Task<> remove(std::int64_t tenant_id, std::int64_t id, Actor actor) override;
    Task<ListPage<TeamMember>> members(std::int64_t tenant_id, std::int64_t id, ListQuery query) override;
    Task<> add_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor) override;
    Task<> remove_member(std::int64_t tenant_id, std::int64_t id, std::int64_t user_id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
