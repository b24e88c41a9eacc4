#pragma once

#include "drivers/sql/migrate.hpp"

namespace entrepot {

// The steps of the PostgreSQL schema, oldest first. A step that has landed is never edited.
std::span<const Migration> postgres_migrations();

}  // namespace entrepot
