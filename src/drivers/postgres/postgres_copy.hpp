#pragma once

#include "core/clock.hpp"
#include "ports/metadata_copy.hpp"

#include <memory>
#include <string>

namespace entrepot {

// One moment of a database that others write to. not_found, unsupported, unavailable. The clock outlives it.
Result<std::unique_ptr<MetadataSnapshot>> open_postgres_snapshot(const std::string& url, const Clock& clock);

// Fills an empty database in one transaction, which publish() commits: killed on the way, it leaves nothing. conflict
// when there are tables. The clock outlives it.
Result<std::unique_ptr<MetadataFilling>> open_postgres_filling(const std::string& url, const Clock& clock);

// Keeps `value` under `name` among the settings, without an event.
Result<> note_in_postgres(const std::string& url, std::string_view name, std::string_view value, const Clock& clock);

}  // namespace entrepot
