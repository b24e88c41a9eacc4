#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/settings_catalog.hpp"

namespace entrepot {

// Inside a transaction, and without an event.
Result<> put_setting_in(SqlSession& session, std::string_view name, std::string_view value, Micros now);

// Settings on any SqlEngine, which outlives it.
class SqlSettings final : public SettingsCatalog {
public:
    explicit SqlSettings(SqlEngine& engine) : engine_{engine} {}

    Task<Values> all() override;
    Task<> change(Changes changes, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
