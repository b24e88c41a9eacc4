#pragma once

#include "core/clock.hpp"
#include "ports/metadata_store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace entrepot {

// Metadata in one SQLite file (WAL): one writer thread that commits in groups, a few reader threads, and exact caches
// behind every peek(). One process at a time: the caller holds the data directory's lock.
struct SqliteOptions {
    std::string file;
    std::size_t cache_bytes = 16 << 20;  // of cached manifests, links and tag pages, all together
    unsigned readers = 2;
    std::int64_t most_pages = 0;  // of the file, 0: no limit; beyond it writes answer storage_full
    // Called from the store's writer after events may have been recorded. Must not block, nor throw.
    std::function<void()> on_event{};
};

// Opens the file, creating it where needed, and brings its schema up to date. Throws std::runtime_error when that
// fails. The clock outlives the store.
std::unique_ptr<MetadataStore> open_sqlite_store(const SqliteOptions& options, const Clock& clock);

}  // namespace entrepot
