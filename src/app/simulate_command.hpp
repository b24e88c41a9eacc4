#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// `entrepot simulate`: rollouts in a swarm that is not there.
struct SimulateCommand {
    std::vector<std::string> scenarios;                         // files
    std::vector<std::pair<std::string, std::string>> settings;  // count more than the files'
    std::optional<std::string> json;                            // "-": standard output
    std::optional<std::string> csv;
    std::optional<std::string> svg;
    bool progress = false;  // even where standard error is no terminal
    bool quiet = false;
};

// Prints a table to standard output, unless that is where a file was asked to go; progress to standard error. Returns
// the exit code: exit_code::incomplete where an ordinary node that did not die never finished.
int run_simulate(const SimulateCommand& command);

}  // namespace entrepot
