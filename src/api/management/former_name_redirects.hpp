#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Leads requests that name a project, or a repository of one, by a former name to the name of today, where the caller
// may read what has it; for all others the former name is one that nothing has.
class FormerNameRedirects {
public:
    explicit FormerNameRedirects(const AccessPolicy& policy) : policy_{policy} {}

    std::optional<std::string> operator()(const ApiCall& call, std::string_view pattern) const;

private:
    const AccessPolicy& policy_;
};

}  // namespace entrepot
