#pragma once

#include "core/error.hpp"

#include <boost/json/array.hpp>

#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// Where a robot is at home: what "repository:pull" without anything before it is about.
struct CtlAccessHome {
    std::string_view kind;  // system, tenant or project
    std::string_view name;
};

// "project/web:repository:pull" …, as the API's robots and tokens have them: [{kind, namespace, access}], rights on one
// object put together. Without `home` the object must be there. bad_request.
Result<boost::json::array> parse_access(std::span<const std::string> texts, const CtlAccessHome* home);

}  // namespace entrepot
