#include "api/management/swarm_json.hpp"

#include "core/clock.hpp"
#include "delivery/stored_bytes.hpp"
#include "swarm/hex32.hpp"

#include <boost/json/array.hpp>

#include <cmath>
#include <utility>

namespace entrepot {
namespace {

namespace json = boost::json;

json::object received_json(const SwarmReceived& received)
{
    return {{"origin", received.origin}, {"zone", received.zone}, {"across", received.across}};
}

// What a zone and all of them together have in common.
void put_sums(json::object& object, const SeenSwarm::Zone& sum)
{
    json::array tenths;
    for (const auto members : sum.tenths) tenths.emplace_back(members);
    object["members"] = sum.members;
    object["complete"] = sum.complete;
    object["tenths"] = std::move(tenths);
    object["received"] = received_json(sum.received);
    object["rate"] = sum.rate;
}

json::array zones_json(const std::vector<SeenSwarm::Zone>& zones)
{
    json::array array;
    for (const auto& zone : zones) {
        json::object object{{"zone", zone.zone}};
        put_sums(object, zone);
        array.push_back(std::move(object));
    }
    return array;
}

}  // namespace

json::object swarm_json(const SeenSwarm& swarm, std::string_view instance, const std::optional<SeenNode>& slowest)
{
    const auto& image = *swarm.image;
    json::array repositories;
    for (const auto& repository : swarm.repositories)
        repositories.push_back(json::object{{"tenant", repository.tenant}, {"name", repository.name}});
    json::object object{
        {"digest", named_by(image.manifest).text()},
        {"swarm", hex_of(image.swarm)},
        {"platform", image.platform},
        {"instance", instance},
        {"state", name_of(swarm.state())},
        {"repositories", std::move(repositories)},
        {"size", image.size},
        {"pieces", image.pieces},
        {"begun_time", rfc3339(image.begun)},
        {"half_way", swarm.half_way()},
        {"zones", zones_json(swarm.zones)},
    };
    put_sums(object, swarm.all);
    if (const auto seconds = swarm.seconds_left()) object["seconds_left"] = *seconds;
    if (const auto efficiency = swarm.efficiency()) object["efficiency"] = std::round(*efficiency * 1000) / 1000;
    if (slowest) object["slowest"] = swarm_node_json(*slowest);
    return object;
}

json::object swarm_node_json(const SeenNode& node)
{
    json::object object{
        {"name", node.name},
        {"zone", node.zone},
        {"state", name_of(node.state)},
        {"progress", node.progress},
        {"neighbours", node.neighbours},
        {"idle", node.idle},
        {"received", received_json(node.received)},
        {"sent", node.uploaded},
        {"begun_time", rfc3339(node.since)},
        {"heard_time", rfc3339(node.heard_at)},
    };
    if (node.complete_at != 0) object["complete_time"] = rfc3339(node.complete_at);
    return object;
}

}  // namespace entrepot
