#pragma once

#include "drivers/sql/migrate.hpp"

namespace entrepot {

// The steps of the SQLite schema, oldest first. A step that has landed is never edited.
std::span<const Migration> sqlite_migrations();

}  // namespace entrepot
