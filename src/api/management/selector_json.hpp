#pragma once

#include "access/selectors.hpp"
#include "api/management/api_values.hpp"

#include <boost/json/array.hpp>

namespace entrepot {

// Selectors of rules in Harbor's shape (API v2.0: ImmutableSelector, RetentionSelector): {"kind":"doublestar",
// "decoration":"matches" or "excludes" (of repositories "repoMatches" or "repoExcludes"), "pattern":…, "extras":…}.

boost::json::array tag_selectors_json(const Selectors& selectors, std::string_view extras = {});
boost::json::object scope_selectors_json(const Selectors& repositories);  // {"repository":[…]}

// "tag_selectors" and "scope_selectors" of a rule; bad_request.
Result<Selectors> tag_selectors_of(const JsonBody& rule);
Result<Selectors> scope_selectors_of(const JsonBody& rule);
// A list of selectors of repositories under another name.
Result<Selectors> repository_selectors_of(const JsonBody& body, std::string_view name);

}  // namespace entrepot
