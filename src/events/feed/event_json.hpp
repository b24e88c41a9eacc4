#pragma once

#include "ports/event.hpp"

#include <string>

namespace entrepot {

// An event as the API shows it (docs/events.md).
std::string event_json(const Event& event);

}  // namespace entrepot
