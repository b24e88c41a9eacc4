#pragma once

#include "core/error.hpp"
#include "simulator/scenario.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One key of a scenario with what it was set to, and where ("line 3"), for messages.
struct ScenarioSetting {
    std::string key;  // dotted: node.up
    std::vector<std::string> values;
    bool is_list = false;
    std::string place;
};

// A scenario while its keys are read: what depends on several of them is worked out at the end.
struct ScenarioDraft {
    Scenario scenario;
    std::optional<std::uint64_t> image_bytes;
    std::optional<std::uint64_t> layer_bytes;
    std::optional<std::uint32_t> layers;
    std::optional<double> dying_at_bound;  // shares of the bound
    std::optional<double> seeds_at_bound;
    std::optional<double> tracker_at_bound;
};

struct ScenarioKey {
    std::string_view name;
    Result<> (*set)(ScenarioDraft& draft, const ScenarioSetting& setting);
    // As a scenario would say it again; null: not this one.
    boost::json::value (*show)(const Scenario& scenario);
};

std::span<const ScenarioKey> scenario_keys() noexcept;

}  // namespace entrepot
