#pragma once

#include "app/config.hpp"
#include "core/clock.hpp"
#include "ports/metadata_store.hpp"

#include <functional>
#include <memory>

namespace entrepot {

// The metadata store that the configuration names, its schema brought up to date. `on_access_changed` is called from
// the store's own thread when another instance changed something (PostgreSQL), `on_event` from one of its threads when
// something may have happened. Throws std::runtime_error.
std::unique_ptr<MetadataStore> open_store(
    const Config& config,
    const Clock& clock,
    std::function<void()> on_access_changed = [] {},
    std::function<void()> on_event = {}
);

}  // namespace entrepot
