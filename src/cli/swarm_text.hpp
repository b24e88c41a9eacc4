#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace entrepot {

// Images on their way from node to node, as the API tells of them, for people.

// "shop/web@sha256:0123456789ab": its first repository, and the beginning of its digest.
std::string swarm_image_name(const boost::json::object& image);
// One line: how far it is.
std::string swarm_image_line(const boost::json::object& image);
// Several lines: bars for all nodes and for each zone, where bytes came from, and who is the slowest.
std::string swarm_image_block(const boost::json::object& image);

}  // namespace entrepot
