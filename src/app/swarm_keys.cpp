#include "app/config_key_kinds.hpp"
#include "app/config_keys.hpp"
#include "core/address.hpp"

#include <array>

namespace entrepot {
namespace {

using namespace config_kinds;

Result<> set_swarm_advertise(Config& config, std::string_view value)
{
    if (!value.empty() && !Address::parse(std::string{value}))
        return fail(Errc::bad_request, "must be a numeric address, without a port");
    config.swarm.advertise = value;
    return {};
}

constexpr std::array keys{
    on_or_off(
        "swarm.enabled",
        ENTREPOT_FIELD(swarm.enabled),
        "Whether nodes with an agent may share images among themselves: control streams, tracker and seed."
    ),
    ConfigKey<Config>{
        "swarm.binding",
        "address or interface",
        "Where nodes are listened for; when empty, everywhere.",
        [](Config& config, std::string_view value) -> Result<> {
            config.swarm.binding = value;
            return {};
        },
        [](const Config& config) { return config.swarm.binding; },
    },
    count<Config, 0, 65'535>(
        "swarm.control_port", ENTREPOT_FIELD(swarm.control_port), "Port of nodes' control streams; 0: any that is free."
    ),
    count<Config, 0, 65'535>(
        "swarm.peer_port",
        ENTREPOT_FIELD(swarm.peer_port),
        "Port at which nodes get images from the registry; 0: any that is free."
    ),
    ConfigKey<Config>{
        "swarm.advertise",
        "address",
        "The address that nodes find this instance at, and no other one; when empty, the one that each has come by. "
        "With PostgreSQL it makes one swarm of all instances that have one.",
        set_swarm_advertise,
        [](const Config& config) { return config.swarm.advertise; },
    },
    size<Config, 0, 1000 * gib>(
        "swarm.bytes_per_second",
        ENTREPOT_FIELD(swarm.bytes_per_second),
        "What this instance sends to nodes at most; 0: no limit."
    ),
    duration<2 * day, 36'600 * day>(
        "swarm.forget_after",
        ENTREPOT_FIELD(swarm.forget_after),
        "A node that has not been heard of for so long is removed; when it comes back it needs a token."
    ),
    on_or_off(
        "swarm.prepare",
        ENTREPOT_FIELD(swarm.prepare),
        "Whether what is pushed is made ready for nodes at once; otherwise when the first one asks for it."
    ),
};

}  // namespace

std::span<const ConfigKey<Config>> swarm_keys()
{
    return keys;
}

}  // namespace entrepot
