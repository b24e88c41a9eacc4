#pragma once

#include "simulator/scenario.hpp"
#include "simulator/scenario_keys.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What counts more than the file: a key and its value as YAML.
struct ScenarioOverride {
    std::string key;
    std::string value;
};

// One run that a file asks for; with a grid there are many.
struct ScenarioRun {
    std::string label;  // what makes it differ from the others: "nodes=500 image.layers=40"; empty without a grid
    Scenario scenario;
};

// All runs of a file, those of a grid in the order of its lists, the last changing fastest. bad_request: as
// parse_scenario.
Result<std::vector<ScenarioRun>>
parse_scenario_runs(std::string_view text, std::span<const ScenarioOverride> overrides = {});

// Settings of different keys as one scenario: all that it must have, and nothing that can't be run.
Result<Scenario> scenario_of(std::span<const ScenarioSetting> settings);

// With every default; what parse_scenario makes the same scenario of.
boost::json::object scenario_json(const Scenario& scenario);

}  // namespace entrepot
