#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/grant_catalog.hpp"

namespace entrepot {

// Custom roles on any SqlEngine, which outlives them.
class SqlRoles final : public RoleCatalog {
public:
    explicit SqlRoles(SqlEngine& engine) : engine_{engine} {}

    Task<std::vector<Role>> all() override;
    Task<Role> create(Role role, Actor actor) override;
    Task<Role> change(Role role, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
