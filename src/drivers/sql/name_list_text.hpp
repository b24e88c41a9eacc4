#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A list of names as a column of text holds it: JSON, empty for none.
std::string name_list_text(const std::vector<std::string>& names);
Result<std::vector<std::string>> parse_name_list(std::string_view text);  // corrupt

}  // namespace entrepot
