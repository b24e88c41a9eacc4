#pragma once

#include "delivery/swarm_images.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string_view>

namespace entrepot {

// What goes from node to node, as lists and streams of the swarm have it.

// `slowest`: left out where there is none.
boost::json::object
swarm_json(const SeenSwarm& swarm, std::string_view instance, const std::optional<SeenNode>& slowest = std::nullopt);
boost::json::object swarm_node_json(const SeenNode& node);

}  // namespace entrepot
