#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/group_catalog.hpp"

namespace entrepot {

// External groups on any SqlEngine, which outlives them.
class SqlGroups final : public GroupCatalog {
public:
    explicit SqlGroups(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<ExternalGroup>> list(ListQuery query) override;
    Task<ExternalGroup> find(std::int64_t id) override;
    Task<ExternalGroup> create(ExternalGroup group, Actor actor) override;
    Task<ExternalGroup> find_or_create(ExternalGroup group, Actor actor) override;
    Task<> rename(std::int64_t id, std::string name, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
