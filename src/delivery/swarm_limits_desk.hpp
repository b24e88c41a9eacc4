#pragma once

#include "access/policy.hpp"
#include "access/require.hpp"
#include "core/clock.hpp"
#include "ports/settings_catalog.hpp"
#include "swarm/tracker/swarm_limits.hpp"

#include <boost/json/object.hpp>

namespace entrepot {

// As the API shows them: {"default": {"up", "down", "across_zones": bytes a second or null, "polite"}, "zones": [the
// same and "zone", …]}, zones by name.
boost::json::object swarm_limits_json(const SwarmLimits& limits);
// What is absent or null is not limited; fields that nobody knows are ignored. bad_request.
Result<SwarmLimits> parse_swarm_limits(const boost::json::object& object);

// What the nodes of all instances keep to, kept with the settings that are made at run time. Safe from any thread.
class SwarmLimitsDesk {
public:
    static constexpr std::size_t most_zones = 1'000;
    // Under which it is kept.
    static constexpr std::string_view setting = "swarm_limits";

    SwarmLimitsDesk(SettingsCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<SwarmLimits> read(Caller caller);             // denied
    Task<> change(Caller caller, SwarmLimits limits);  // all of them; denied
    // What is kept, for nobody in particular. What another version has kept and this one can't read counts as none.
    Task<SwarmLimits> current();

private:
    SettingsCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot
