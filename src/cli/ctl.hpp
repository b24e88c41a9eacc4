#pragma once

#include "cli/ctl_io.hpp"

#include <memory>
#include <span>
#include <string>

namespace entrepot {

// `entrepot ctl`: the words after it; returns the exit code (ctl_command.hpp lists them). Errors go to the error
// output.
int run_ctl(CtlIo& io, std::span<const std::string> words);

// The terminal, files and network of this process.
std::unique_ptr<CtlIo> make_process_io();

}  // namespace entrepot
