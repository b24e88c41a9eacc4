#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/session_catalog.hpp"

namespace entrepot {

// Browsers' log-ins, on any SqlEngine, which outlives it.
class SqlSessions final : public SessionCatalog {
public:
    explicit SqlSessions(SqlEngine& engine) : engine_{engine} {}

    Task<> add(LoginSession session) override;
    Task<LoginSession> find(std::string hash) override;
    Task<> extend(std::string hash, Micros expires_at) override;
    Task<> remove(std::string hash) override;
    Task<> remove_expired(Micros now) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
