#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/immutable_rule_catalog.hpp"

namespace entrepot {

class SqlImmutableRules final : public ImmutableRuleCatalog {
public:
    explicit SqlImmutableRules(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<ImmutableRule>> list(std::int64_t project_id, ListQuery query) override;
    Task<ImmutableRule> find(std::int64_t project_id, std::int64_t id) override;
    Task<std::int64_t> create(ImmutableRule rule, Actor actor) override;
    Task<> change(ImmutableRule rule, Actor actor) override;
    Task<> remove(std::int64_t project_id, std::int64_t id) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
