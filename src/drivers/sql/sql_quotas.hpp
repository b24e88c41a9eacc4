#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/quota_ledger.hpp"

namespace entrepot {

class SqlQuotas final : public QuotaLedger {
public:
    explicit SqlQuotas(SqlEngine& engine) : engine_{engine} {}

    Task<> settle(Micros now) override;
    Task<QuotaDrift> recount(std::int64_t after) override;
    Task<std::vector<QuotaLevel>> warn(std::vector<std::int64_t> levels, Micros now) override;
    Task<> note(std::vector<QuotaRefusals> refusals) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
