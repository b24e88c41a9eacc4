#pragma once

#include "app/command_line.hpp"

namespace entrepot {

// Runs `entrepot ctl` in this process; the exit code.
int run_ctl_words(const CtlWords& command);

}  // namespace entrepot
