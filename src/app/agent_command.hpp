#pragma once

#include "agent/agent_config.hpp"
#include "agent/mirror_files.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// `entrepot agent`: what a node has of images, as a registry on its loopback.
struct AgentCommand {
    std::optional<std::string> config_file;
    std::vector<AgentSetting> settings;  // count more than the file's
};

// `entrepot agent install-mirror` and `remove-mirror`.
struct AgentMirrorCommand {
    MirrorFiles files;
    std::optional<std::filesystem::path> data{};  // of an agent: to be removed as well
    bool remove = false;
    bool dry_run = false;
};

// Runs until SIGTERM or SIGINT. Both return the exit code, and say on standard error what went wrong.
int run_agent(const AgentCommand& command);
int run_agent_mirror(const AgentMirrorCommand& command);

}  // namespace entrepot
