#include "app/outbound_parts.hpp"

#include <stdexcept>

namespace entrepot {

OutboundRules outbound_rules_of(const Config& config)
{
    auto rules = OutboundRules::parse(config.outbound.allow);
    if (!rules) throw std::runtime_error{"outbound.allow: " + rules.error().message()};
    return *std::move(rules);
}

}  // namespace entrepot
