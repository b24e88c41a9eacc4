#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/usage_ledger.hpp"

namespace entrepot {

class SqlUsage final : public UsageLedger {
public:
    explicit SqlUsage(SqlEngine& engine) : engine_{engine} {}

    Task<std::int64_t> measure(std::int64_t after, std::int64_t day, Which which) override;
    Task<std::vector<UsageDay>> by_day(UsageSpan span) override;
    Task<ListPage<ProjectUsage>> by_project(UsageSpan span, ListQuery query) override;
    Task<> forget_before(std::int64_t day) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
