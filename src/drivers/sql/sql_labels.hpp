#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/label_catalog.hpp"

namespace entrepot {

// Labels on any SqlEngine, which outlives it.
class SqlLabels final : public LabelCatalog {
public:
    explicit SqlLabels(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Label>> list(std::int64_t project_id, ListQuery query) override;
    Task<Label> find(std::int64_t id) override;
    Task<Label> create(Label label, Actor actor) override;
    Task<Label> change(Label label, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
