#pragma once

#include "app/config.hpp"

#include <optional>
#include <string>

namespace entrepot {

// `entrepot reset-admin-password`: the break-glass. Needs the database and the audit trail alone, so nothing else that
// a server needs to run (a directory, the blobs, the keys) can stand in its way.
struct ResetAdminCommand {
    std::optional<std::string> config_file;
    ConfigFlags flags;
};

// Prints the new password to standard output and returns the exit code.
int run_reset_admin(const ResetAdminCommand& command);

}  // namespace entrepot
