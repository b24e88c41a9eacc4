#pragma once

#include "drivers/sql/migrate.hpp"

namespace entrepot {

// Keeps other instances on the database from changing its schema until the transaction ends. "entrepot" in ASCII: one
// number for all. No answer is awaited but the lock.
inline constexpr const char* postgres_schema_lock =
    "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(7308332045753216884)";

// The steps of the PostgreSQL schema, oldest first. A step that has landed is never edited.
std::span<const Migration> postgres_migrations();

}  // namespace entrepot
