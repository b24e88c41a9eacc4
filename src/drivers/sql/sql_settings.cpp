#include "drivers/sql/sql_settings.hpp"

#include "drivers/sql/event_rows.hpp"

#include <boost/json/array.hpp>

namespace entrepot {

namespace {

constexpr SqlStatement select_settings{"SELECT name, value FROM settings"};
constexpr SqlStatement put_setting{
    "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"
};
constexpr SqlStatement delete_setting{"DELETE FROM settings WHERE name = $1"};

}  // namespace

Result<> put_setting_in(SqlSession& session, std::string_view name, std::string_view value, Micros now)
{
    CHECK(session.run(put_setting, {name, value, now}));
    return {};
}

Task<SettingsCatalog::Values> SqlSettings::all()
{
    const auto work = [](SqlSession& session) -> Result<Values> {
        TRY(auto rows, session.run(select_settings));
        Values values;
        for (auto& row : rows) values.emplace(row.take_text(0), row.take_text(1));
        return values;
    };
    co_return co_await engine_.read(work);
}

// In the order of names, so that two changes never wait for each other.
Task<> SqlSettings::change(Changes changes, Actor actor)
{
    const auto work = [changes = std::move(changes), actor](SqlSession& session) -> Result<> {
        boost::json::array names;
        for (const auto& [name, value] : changes) {
            if (value) {
                CHECK(put_setting_in(session, name, *value, actor.at));
            } else {
                CHECK(session.run(delete_setting, {name}));
            }
            names.emplace_back(name);
        }
        auto event = event_by(event_type::configuration_updated, actor);
        set_details(event, {{"changed", std::move(names)}});
        return record_event(session, event);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
