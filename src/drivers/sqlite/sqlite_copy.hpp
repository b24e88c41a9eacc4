#pragma once

#include "core/clock.hpp"
#include "ports/metadata_copy.hpp"

#include <filesystem>
#include <memory>

namespace entrepot {

// One moment of a database file, also while a server writes to it. not_found, unsupported, unavailable.
Result<std::unique_ptr<MetadataSnapshot>> open_sqlite_snapshot(const std::filesystem::path& file);

// Fills a new database beside `file`; publish() gives it that name. What an earlier one left unfinished is thrown away.
// conflict when `file` is there. The clock outlives it.
Result<std::unique_ptr<MetadataFilling>> open_sqlite_filling(const std::filesystem::path& file, const Clock& clock);

// Keeps `value` under `name` among the settings, beside a running server and without an event.
Result<>
note_in_sqlite(const std::filesystem::path& file, std::string_view name, std::string_view value, const Clock& clock);

}  // namespace entrepot
