#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// The names that a project's metadata may have and what their values look like (Harbor 2.16, metadata of a project;
// `shared` is ours). bad_request for a name that there is not, or a value that doesn't fit.
Result<> check_project_metadata(std::string_view name, std::string_view value);
bool is_project_metadata(std::string_view name) noexcept;

// Values as they are kept: what is true or false in any case of letters becomes "true" or "false".
std::string kept_metadata(std::string_view value);

// The CVEs that scans of the project pass over, a JSON object beside the metadata that has no API of its own.
inline constexpr std::string_view allowlist_metadata = ".cve_allowlist";

}  // namespace entrepot
