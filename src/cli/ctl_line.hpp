#pragma once

#include "cli/ctl_command.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The words of a command line, understood. Arguments and options share one space of names.
struct CtlLine {
    const CtlCommand* command = nullptr;  // null: help about `topic` was asked for
    std::string topic;                    // a command's or a group's path, or nothing
    std::map<std::string, std::vector<std::string>, std::less<>> values;

    bool has(std::string_view name) const { return values.contains(name); }
    // The (last) value; empty when there is none. A flag's is "true".
    std::string_view value(std::string_view name) const;
    std::span<const std::string> all(std::string_view name) const;
};

// bad_request says what is wrong, with a hint. `words` come after `entrepot ctl`.
Result<CtlLine> parse_ctl_line(std::span<const std::string> words);

}  // namespace entrepot
