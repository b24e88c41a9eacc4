#pragma once

#include "core/error.hpp"
#include "core/log.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// A numeric address with a port; 0: the system chooses (tests).
struct AgentEndpoint {
    std::string address;
    std::uint16_t port = 0;
};

// What `entrepot agent` is told (docs/agent.md).
struct AgentConfig {
    std::string registry;             // its URL, without a path
    std::vector<std::string> serves;  // other names that clients know the registry by, host[:port]
    AgentEndpoint listen{.address = "127.0.0.1", .port = 5100};
    AgentEndpoint peer_listen{.address = "0.0.0.0", .port = 7401};
    std::optional<AgentEndpoint> metrics_listen;
    std::filesystem::path data = "/var/lib/entrepot-agent";
    std::string node;                  // empty: the machine's name
    std::string zone;                  // empty: not known
    std::string bootstrap_token_file;  // empty: no swarm
    std::string ca_file;
    std::uint64_t rate_up = 0;  // bytes per second to other nodes, and below from them; 0: no limit
    std::uint64_t rate_down = 0;
    bool polite = false;
    std::uint64_t budget = 20ULL << 30U;       // bytes of disk
    std::chrono::milliseconds patience{1000};  // with a swarm that brings nothing, before the registry is asked
    log::Level log_level = log::Level::info;
};

// A key of the file, as on the command line, and its value.
using AgentSetting = std::pair<std::string, std::string>;

// The YAML text (empty: no file), then the settings, which count more. bad_request: what is wrong, with the line of
// `file` or the setting. `registry` must come from one of them.
Result<AgentConfig>
parse_agent_config(const std::string& yaml, const std::string& file, const std::vector<AgentSetting>& settings);

}  // namespace entrepot
