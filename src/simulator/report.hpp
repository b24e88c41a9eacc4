#pragma once

#include "simulator/outcome.hpp"
#include "simulator/scenario.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What a run cost the machine that carried it out.
struct RunCost {
    double wall_seconds = 0;
    double processor_seconds = 0;
    std::uint64_t peak_bytes = 0;  // the most that the process has held so far
};

// Times from the arrival of each node, over the ordinary nodes that did not die; who never finished counts as the
// slowest, so nullopt: never.
struct RunTimes {
    std::optional<SwarmTime> p50;
    std::optional<SwarmTime> p90;
    std::optional<SwarmTime> p99;
    std::optional<SwarmTime> p999;
    std::optional<SwarmTime> last;
};

// One run and what is to be said of it.
struct RunReport {
    std::string name;
    std::string label;  // of a grid: what makes it differ
    Scenario scenario;
    Outcome outcome;
    RunCost cost;

    // Worked out by report_of().
    std::uint32_t pieces = 0;
    std::uint64_t piece_bytes = 0;
    std::uint32_t counted = 0;      // ordinary nodes that did not die
    std::uint32_t died = 0;         // left out
    std::uint32_t odd = 0;          // left out: slow, silent or lying by the scenario
    std::uint32_t unfinished = 0;   // of those counted
    std::vector<SwarmTime> sorted;  // how long the counted ones took that finished
    RunTimes times;
    RunTimes first_byte;
    double streamable = 0;     // on average over the counted
    double origin_copies = 0;  // images that left the registry
    // Of all bytes that nodes received.
    double origin_share = 0;
    double zone_share = 0;
    double across_share = 0;
    double wasted_share = 0;
    double refusals_per_request = 0;
};

RunReport report_of(std::string name, std::string label, Scenario scenario, Outcome outcome, const RunCost& cost);

// For people: one run in full; several as a table with a row for each.
std::string table_of(std::span<const RunReport> reports);
// {"simulated": true, "program": …, "runs": [{name, label, scenario, result}]}. A scenario is given as it was run, and
// is itself a scenario file.
std::string json_of(std::span<const RunReport> reports, std::string_view program);
// Of one run a row for each node, of several a row for each run. RFC 4180 but for its line ends.
std::string csv_of(std::span<const RunReport> reports);
// Which share of the nodes was done when: a curve for each run.
std::string svg_of(std::span<const RunReport> reports);

}  // namespace entrepot
