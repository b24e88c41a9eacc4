#pragma once

#include <filesystem>

namespace entrepot {

// root goes on as the data directory's owner, so that the server can read and write all that is made here. Throws
// std::runtime_error, also where there is no such directory.
void act_as_owner(const std::filesystem::path& data);

}  // namespace entrepot
