#pragma once

#include "swarm/wire/control_frames.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace entrepot {

// What nodes are told to keep to: in zones that are named by what stands there alone, in all others by `others`.
struct SwarmLimits {
    LimitsFrame others{};
    std::map<std::string, LimitsFrame, std::less<>> zones{};

    const LimitsFrame& of(std::string_view zone) const noexcept
    {
        const auto found = zones.find(zone);
        return found == zones.end() ? others : found->second;
    }
    bool operator==(const SwarmLimits&) const noexcept = default;
};

}  // namespace entrepot
