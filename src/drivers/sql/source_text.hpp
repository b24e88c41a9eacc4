#pragma once

#include "access/project_source.hpp"
#include "core/error.hpp"

#include <string>
#include <vector>

namespace entrepot {

// A project's sources as their column keeps them; none is the empty text. corrupt.
std::string sources_text(const std::vector<ProjectSource>& sources);
Result<std::vector<ProjectSource>> sources_in(const std::string& text);

}  // namespace entrepot
