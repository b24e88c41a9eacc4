#pragma once

#include "app/agent_command.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace entrepot {

// `agent` on the command line, with what is below it.
class AgentOptions {
public:
    explicit AgentOptions(CLI::App& app);

    std::vector<CLI::App*> commands() const { return {agent_, install_, remove_}; }
    // After parsing. What is wrong beyond the grammar; empty: nothing.
    std::string complaint() const;
    std::optional<AgentCommand> agent() const;
    std::optional<AgentMirrorCommand> mirror() const;
    // Empty: no such command was given.
    std::string help() const;

private:
    CLI::App* agent_;
    CLI::App* install_;
    CLI::App* remove_;
    std::optional<std::string> config_file_;
    std::map<std::string, std::string> values_;  // by key
    std::vector<std::string> serves_;
    MirrorFiles files_;
    std::optional<std::string> containerd_;
    std::optional<std::string> crio_;
    std::optional<std::string> podman_;
    std::optional<std::string> removed_data_;
    bool dry_run_ = false;
};

}  // namespace entrepot
