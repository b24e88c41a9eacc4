#pragma once

#include "core/clock.hpp"
#include "ports/metadata_store.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace entrepot {

// Metadata in PostgreSQL 15 or later, shared by any number of instances: a pool of connections, each on its own
// thread. Nothing is cached: every peek() answers nullopt. While the server is away every method answers unavailable
// within 5 s (as `patience` says), and works again within 10 s of its return.
struct PostgresOptions {
    std::string url;  // postgresql://… or a libpq connection string
    unsigned connections = 16;
    std::chrono::milliseconds patience{4500};  // with the server, for any one question or change
    // Called from the store's feed thread when access may have changed here or on another instance: at the latest a
    // second after the change, and once after every reconnection. Must not block for long, nor throw.
    std::function<void()> on_access_changed;
    // Called from the store's threads after events were recorded here or numbered anywhere. Likewise.
    std::function<void()> on_event{};
};

// Connects and brings the schema up to date, under an advisory lock so that several instances may start at once.
// Throws std::runtime_error when the server does not answer or the schema is too new. The clock outlives the store.
std::unique_ptr<MetadataStore> open_postgres_store(const PostgresOptions& options, const Clock& clock);

}  // namespace entrepot
