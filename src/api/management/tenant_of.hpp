#pragma once

#include "access/require.hpp"
#include "api/management/api_router.hpp"

#include <memory>
#include <string_view>

namespace entrepot {

// The tenant that a path names: an id where the text is a number, else a name. not_found when there is none or the
// caller may not read it.
Result<std::shared_ptr<const TenantAccess>>
tenant_of(const ApiCall& call, const AccessPolicy& policy, std::string_view text);

}  // namespace entrepot
