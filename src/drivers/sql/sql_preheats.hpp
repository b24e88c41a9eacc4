#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/preheat_catalog.hpp"

namespace entrepot {

// PreheatCatalog on any SqlEngine, which outlives it.
class SqlPreheats final : public PreheatCatalog {
public:
    explicit SqlPreheats(SqlEngine& engine) : engine_{engine} {}

    Task<std::int64_t> add(PreheatEntry preheat, std::vector<std::string> nodes, Actor actor) override;
    Task<ListPage<PreheatEntry>> list(std::optional<std::vector<std::int64_t>> projects, ListQuery query) override;
    Task<PreheatEntry> find(std::int64_t id) override;
    Task<ListPage<PreheatNode>> nodes(std::int64_t id, ListQuery query) override;
    Task<std::vector<PreheatEntry>> running() override;
    Task<std::map<std::string, NodePreheat>> states(std::int64_t id) override;
    Task<> note(std::vector<PreheatNews> news, Micros at) override;
    Task<bool> end(std::int64_t id, PreheatStage stage, std::string message, Actor actor) override;
    Task<> remove_ended(Micros before) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
