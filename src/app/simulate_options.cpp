#include "app/simulate_options.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::string_view simulate_help = R"(NAME
  entrepot simulate - work out how long a rollout to many nodes takes

SYNOPSIS
  entrepot simulate [--json FILE] [--csv FILE] [--svg FILE] [--set KEY=VALUE]... [--nodes COUNT] [--seed NUMBER]
                    [--progress | --quiet] SCENARIO...

DESCRIPTION
  Runs the agents' and the tracker's own code with links and a clock that are simulated, as a SCENARIO describes them (a
  YAML file; docs/simulate.md has every key), and tells how long the nodes take beside the least time that any
  distribution needs. The same scenario and seed give the same result on every machine. A scenario with a grid, and
  several scenarios, are run one after the other and shown as a table with a row for each.

OPTIONS
  --json FILE      The result, and the scenario as it was run. - is standard output, in place of the table
  --csv FILE       Of one run a row for each node, of several a row for each run
  --svg FILE       A plot: which share of the nodes was done when
  --set KEY=VALUE  A key of the scenario, which counts more than the file: node.up=10Gbit/s
  --nodes COUNT    The same as --set nodes=COUNT
  --seed NUMBER    The same as --set seed=NUMBER
  --progress       Tell how far it is on standard error even if that is no terminal
  --quiet          Don't
  --help           Print this

EXAMPLES
  entrepot simulate bench/scenarios/flash-crowd-small.yaml
  entrepot simulate --nodes 500 --set network.zones=3 --svg plot.svg bench/scenarios/flash-crowd-1k.yaml

EXIT CODES
  0   every ordinary node that did not die has the image
  1   a file can't be read or written
  3   some nodes never finished; the result says how many
  64  wrong arguments
  78  wrong scenario; the message says in which line
)";

}  // namespace

SimulateOptions::SimulateOptions(CLI::App& app) : simulate_{app.add_subcommand("simulate")}
{
    simulate_->add_option("scenario", command_.scenarios);
    simulate_->add_option("--json", command_.json);
    simulate_->add_option("--csv", command_.csv);
    simulate_->add_option("--svg", command_.svg);
    simulate_->add_option("--set", settings_)->allow_extra_args(false);
    simulate_->add_option("--nodes", nodes_);
    simulate_->add_option("--seed", seed_);
    auto* progress = simulate_->add_flag("--progress", command_.progress);
    simulate_->add_flag("--quiet", command_.quiet)->excludes(progress);
}

std::string SimulateOptions::complaint() const
{
    if (!simulate_->parsed()) return {};
    if (command_.scenarios.empty()) return "SCENARIO is required: the file to simulate";
    const auto no_pair = [](const std::string& setting) { return setting.find('=') == std::string::npos; };
    if (std::ranges::any_of(settings_, no_pair)) return "--set takes KEY=VALUE";
    const std::array outputs{command_.json, command_.csv, command_.svg};
    if (std::ranges::count(outputs, std::optional<std::string>{"-"}) > 1)
        return "only one of --json, --csv and --svg can go to standard output";
    return {};
}

SimulateCommand SimulateOptions::simulate() const
{
    auto command = command_;
    for (const auto& setting : settings_) {
        const auto equals = setting.find('=');
        command.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    }
    if (nodes_) command.settings.emplace_back("nodes", std::to_string(*nodes_));
    if (seed_) command.settings.emplace_back("seed", std::to_string(*seed_));
    return command;
}

std::string_view SimulateOptions::help() noexcept
{
    return simulate_help;
}

}  // namespace entrepot
