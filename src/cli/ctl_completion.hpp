#pragma once

#include "cli/ctl_io.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What may come in the place of the last of these words (which may be empty or begun), after `entrepot ctl`. Values of
// options that are files give "<file>" alone: the shell knows those.
std::vector<std::string> ctl_candidates(const CtlIo& io, std::span<const std::string> words);

// The script that asks `entrepot ctl complete` for them: "bash", "zsh" or "fish"; empty for anything else.
std::string_view ctl_completion_script(std::string_view shell) noexcept;

}  // namespace entrepot
