#include "app/open_store.hpp"

#include "drivers/postgres/postgres_store.hpp"
#include "drivers/sqlite/sqlite_store.hpp"

namespace entrepot {

std::unique_ptr<MetadataStore> open_store(
    const Config& config, const Clock& clock, std::function<void()> on_access_changed, std::function<void()> on_event
)
{
    if (config.uses_postgres()) {
        PostgresOptions options;
        options.url = config.database.url;
        options.connections = config.database.connections;
        options.on_access_changed = std::move(on_access_changed);
        options.on_event = std::move(on_event);
        return open_postgres_store(options, clock);
    }
    SqliteOptions options;
    options.file = config.sqlite_file().string();
    options.cache_bytes = config.caches.metadata_bytes;
    options.on_event = std::move(on_event);
    return open_sqlite_store(options, clock);
}

}  // namespace entrepot
