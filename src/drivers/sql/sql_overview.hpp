#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/overview_catalog.hpp"

namespace entrepot {

// Overviews on any SqlEngine, which outlives it.
class SqlOverview final : public OverviewCatalog {
public:
    explicit SqlOverview(SqlEngine& engine) : engine_{engine} {}

    Task<ProjectTotals> totals(std::optional<std::vector<std::int64_t>> visible) override;
    Task<std::vector<FoundRepository>>
    search(std::string part, std::optional<std::vector<std::int64_t>> visible, std::int64_t limit) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
