#include "drivers/sql/migrate.hpp"

#include "core/log.hpp"

#include <algorithm>

namespace entrepot {

namespace {

constexpr const char* create_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations ("
    "version BIGINT PRIMARY KEY, name TEXT NOT NULL, oldest_binary BIGINT NOT NULL, applied_at BIGINT NOT NULL)";

constexpr SqlStatement select_newest{
    "SELECT version, oldest_binary FROM schema_migrations ORDER BY version DESC LIMIT 1"
};

constexpr SqlStatement insert_version{
    "INSERT INTO schema_migrations (version, name, oldest_binary, applied_at) VALUES ($1, $2, $3, $4)"
};

struct SchemaState {
    std::int64_t version = 0;
    std::int64_t oldest_binary = 0;
};

Result<SchemaState> read_state(SqlSession& session)
{
    CHECK(session.run_script(create_table));
    TRY(const auto rows, session.run(select_newest));
    if (rows.empty()) return SchemaState{};
    return SchemaState{rows.front().integer(0), rows.front().integer(1)};
}

Result<> apply(SqlSession& session, const Migration& migration, const Clock& clock)
{
    CHECK(session.run_script(migration.script));
    CHECK(session.run(insert_version, {migration.version, migration.name, migration.oldest_binary, clock.now()}));
    log::info("the database schema was changed", {{"version", migration.version}, {"name", migration.name}});
    return {};
}

// True when there was a step to take. A new database takes all of them in one: nothing is kept in any version between.
Result<bool> take_step(SqlSession& session, const MigrationPlan& plan, const Clock& clock)
{
    if (*plan.lock != '\0') CHECK(session.run_script(plan.lock));
    TRY(const SchemaState state, read_state(session));
    const std::int64_t ours = plan.migrations.back().version;
    if (state.version > ours && state.oldest_binary > ours) {
        return fail(
            Errc::unsupported,
            "the database has schema version " + std::to_string(state.version) + " and this program knows version " +
                std::to_string(ours) + "; use a newer program"
        );
    }
    auto next = std::ranges::find_if(plan.migrations, [&](const Migration& m) { return m.version > state.version; });
    if (next == plan.migrations.end()) return false;
    const auto last = state.version == 0 ? plan.migrations.end() : next + 1;
    for (; next != last; ++next) CHECK(apply(session, *next, clock));
    return true;
}

}  // namespace

Result<> migrate(SqlConnection& connection, const MigrationPlan& plan, const Clock& clock)
{
    while (true) {
        CHECK(connection.begin());
        auto stepped = take_step(connection, plan, clock);
        if (!stepped) {
            connection.rollback();
            return std::unexpected{std::move(stepped).error()};
        }
        CHECK(connection.commit());
        if (!*stepped) return {};
    }
}

}  // namespace entrepot
