#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/quota_ledger.hpp"

namespace entrepot {

class SqlQuotas final : public QuotaLedger {
public:
    explicit SqlQuotas(SqlEngine& engine) : engine_{engine} {}

    Task<> settle(Micros now) override;
    Task<QuotaDrift> recount(std::int64_t after) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
