#include "access/project_source.hpp"

#include "access/glob.hpp"

#include <algorithm>

namespace entrepot {

bool ProjectSource::covers(std::string_view path) const noexcept
{
    const auto names_it = [path](const std::string& pattern) { return glob_matches(pattern, path); };
    return (repositories.empty() || std::ranges::any_of(repositories, names_it)) &&
           std::ranges::none_of(except, names_it);
}

}  // namespace entrepot
