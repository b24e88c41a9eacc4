#include "drivers/sqlite/sqlite_store.hpp"

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_store.hpp"
#include "drivers/sqlite/migrations.hpp"
#include "drivers/sqlite/sqlite_engine.hpp"

#include <stdexcept>
#include <utility>

namespace entrepot {

std::unique_ptr<MetadataStore> open_sqlite_store(const SqliteOptions& options, const Clock& clock)
{
    auto engine = std::make_unique<SqliteEngine>(options.file, options.readers);
    const MigrationPlan plan{.lock = "", .migrations = sqlite_migrations()};
    auto ready = migrate(engine->writer(), plan, clock);
    if (ready && options.most_pages > 0) {
        ready = engine->writer().run_script("PRAGMA max_page_count = " + std::to_string(options.most_pages));
    }
    if (!ready) {
        const Error& error = ready.error();
        throw std::runtime_error{
            "cannot prepare the database " + options.file + ": " + error.message() + " " + error.detail()
        };
    }
    engine->start(options.on_event);
    return std::make_unique<SqlStore>(std::move(engine), std::make_unique<ExactCache>(options.cache_bytes));
}

}  // namespace entrepot
