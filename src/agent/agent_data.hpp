#pragma once

#include "core/error.hpp"

#include <filesystem>

namespace entrepot {

// What an agent keeps in its data directory: images, and below `node` its key and certificate.
enum class AgentData {
    none,   // there is no such directory
    empty,  // nothing is in it
    kept,   // an agent has run there
};

// conflict: there is something, and it is no agent's.
Result<AgentData> agent_data_at(const std::filesystem::path& directory);

// Takes it away, with the directory unless something else is in it. Blocks. conflict: it is no agent's, or an agent
// runs there; unsupported: another version wrote it; unavailable: what the disk says.
Result<> remove_agent_data(const std::filesystem::path& directory);

}  // namespace entrepot
