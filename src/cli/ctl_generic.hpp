#pragma once

#include "cli/ctl_command.hpp"
#include "cli/ctl_run.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What most commands do: one request, told by the pattern of its path (CtlRun::path). `said` is a pattern too, of what
// is said afterwards: "tenant {name}: created".
using CtlHandler = std::function<Result<int>(CtlRun&)>;
using CtlColumns = std::vector<CtlColumn>;

CtlHandler list_of(std::string_view path, CtlColumns columns);
CtlHandler show_of(std::string_view path, CtlColumns columns);
// A text as it is: what a job wrote.
CtlHandler text_of(std::string_view path);
// POST or PUT with the body that the line gives and what is `fixed`.
CtlHandler
send_to(std::string_view method, std::string_view path, std::string_view said, boost::json::object fixed = {});
// Reads the object, puts in what the line gives and what is `fixed`, and writes it back unless it has changed
// meanwhile.
CtlHandler change_at(std::string_view path, std::string_view said, boost::json::object fixed = {});
// Asks, then deletes.
CtlHandler delete_at(std::string_view path, std::string_view noun, std::string_view said);

// A pattern's text with the line's values as they are.
std::string said_text(const CtlRun& run, std::string_view pattern);

}  // namespace entrepot
