#pragma once

#include "app/config.hpp"
#include "client/outbound_rules.hpp"

namespace entrepot {

// Where requests may go that others than the operator ask for. Throws std::runtime_error.
OutboundRules outbound_rules_of(const Config& config);

}  // namespace entrepot
