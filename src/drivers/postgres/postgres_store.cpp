#include "drivers/postgres/postgres_store.hpp"

#include "drivers/postgres/access_feed.hpp"
#include "drivers/postgres/migrations.hpp"
#include "drivers/postgres/postgres_connection.hpp"
#include "drivers/postgres/postgres_engine.hpp"
#include "drivers/sql/sql_store.hpp"

#include <stdexcept>
#include <utility>

namespace entrepot {

namespace {

constexpr std::chrono::minutes longest_migration{30};

// The engine's connections are made when they are needed; the feed ends before them.
class PostgresStore final : public SqlStore {
public:
    PostgresStore(const PostgresOptions& options, const Clock& clock)
        : SqlStore{
              std::make_unique<PostgresEngine>(
                  options.url, options.connections, options.patience, clock, options.on_event
              ),
              nullptr
          }
    {
        if (options.on_access_changed) {
            feed_ = std::make_unique<AccessFeed>(options.url, options.on_access_changed, options.on_event, clock);
        }
    }

    void stop() override
    {
        feed_.reset();
        SqlStore::stop();
    }

private:
    std::unique_ptr<AccessFeed> feed_;
};

Result<> prepare_schema(const PostgresOptions& options, const Clock& clock)
{
    PostgresConnection connection{options.url, clock};
    connection.set_deadline(clock.steady() + longest_migration);
    CHECK(connection.connect());
    return migrate(connection, {.lock = postgres_schema_lock, .migrations = postgres_migrations()}, clock);
}

}  // namespace

std::unique_ptr<MetadataStore> open_postgres_store(const PostgresOptions& options, const Clock& clock)
{
    if (const auto ready = prepare_schema(options, clock); !ready) {
        // The URL may hold a password: it is not repeated here.
        throw std::runtime_error{
            "cannot prepare the PostgreSQL database: " + ready.error().message() + " (" + ready.error().detail() + ")"
        };
    }
    return std::make_unique<PostgresStore>(options, clock);
}

}  // namespace entrepot
