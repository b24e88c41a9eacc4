#pragma once

#include <string>
#include <string_view>

namespace entrepot {

// The help of a command or a group, or of all where `topic` is empty. Made from the table.
std::string ctl_help(std::string_view topic);

// docs/cli.md: the same as Markdown.
std::string ctl_reference();

}  // namespace entrepot
