#include "drivers/postgres/postgres_store.hpp"

#include "drivers/postgres/migrations.hpp"
#include "drivers/postgres/postgres_connection.hpp"
#include "drivers/postgres/postgres_engine.hpp"
#include "drivers/postgres/project_feed.hpp"
#include "drivers/sql/sql_store.hpp"

#include <stdexcept>
#include <utility>

namespace entrepot {

namespace {

constexpr std::chrono::minutes longest_migration{30};

// "entrepot" in ASCII: one number for every instance on the database. No answer is awaited on the lock but the lock.
constexpr const char* lock_schema =
    "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7308332045753216884)";

// The engine's connections are made when they are needed; the feed ends before them.
class PostgresStore final : public MetadataStore {
public:
    PostgresStore(const PostgresOptions& options, const Clock& clock)
        : store_{std::make_unique<PostgresEngine>(options.url, options.connections, clock), nullptr}
    {
        if (options.on_projects_changed) {
            feed_ = std::make_unique<ProjectFeed>(options.url, options.on_projects_changed, clock);
        }
    }

    ManifestCatalog& manifests() override { return store_.manifests(); }
    BlobCatalog& blobs() override { return store_.blobs(); }
    UploadCatalog& uploads() override { return store_.uploads(); }
    ProjectCatalog& projects() override { return store_.projects(); }
    AccountCatalog& accounts() override { return store_.accounts(); }
    KeyCatalog& keys() override { return store_.keys(); }
    RefreshTokenCatalog& refresh_tokens() override { return store_.refresh_tokens(); }
    PullCounters& pulls() override { return store_.pulls(); }
    CatalogHealth& health() override { return store_.health(); }

    void stop() override
    {
        feed_.reset();
        store_.stop();
    }

private:
    SqlStore store_;
    std::unique_ptr<ProjectFeed> feed_;
};

Result<> prepare_schema(const PostgresOptions& options, const Clock& clock)
{
    PostgresConnection connection{options.url, clock};
    connection.set_deadline(clock.steady() + longest_migration);
    CHECK(connection.connect());
    return migrate(connection, {.lock = lock_schema, .migrations = postgres_migrations()}, clock);
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
