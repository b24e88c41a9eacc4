#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/idempotency_catalog.hpp"

namespace entrepot {

// Idempotency keys on any SqlEngine, which outlives it.
class SqlIdempotency final : public IdempotencyCatalog {
public:
    explicit SqlIdempotency(SqlEngine& engine) : engine_{engine} {}

    Task<std::optional<Entry>>
    begin(std::int64_t user_id, std::string key, std::string request, Micros now, Limits limits) override;
    Task<> finish(std::int64_t user_id, std::string key, unsigned status, std::string answer) override;
    Task<> abandon(std::int64_t user_id, std::string key) override;
    Task<> remove_before(Micros time) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
