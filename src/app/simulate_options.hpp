#pragma once

#include "app/simulate_command.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace entrepot {

// `simulate` on the command line.
class SimulateOptions {
public:
    explicit SimulateOptions(CLI::App& app);

    CLI::App* command() const { return simulate_; }
    // After parsing. What is wrong beyond the grammar; empty: nothing.
    std::string complaint() const;
    SimulateCommand simulate() const;
    static std::string_view help() noexcept;

private:
    CLI::App* simulate_;
    SimulateCommand command_;
    std::vector<std::string> settings_;  // KEY=VALUE
    std::optional<std::uint32_t> nodes_;
    std::optional<std::uint64_t> seed_;
};

}  // namespace entrepot
