#pragma once

#include "access/policy.hpp"
#include "core/task.hpp"

#include <cstdint>

namespace entrepot {

// What decisions are made from. Every change of a project, tenant, team, grant, role or principal raises one version
// in its own transaction, and versions commit in order.
class AccessCatalog {
public:
    virtual ~AccessCatalog() = default;

    // What has changed after `version`, read in one transaction; everything for 0 and for versions that are too old to
    // tell. Answers nothing new with the version itself. unavailable.
    virtual Task<AccessChanges> changes_since(std::int64_t version) = 0;
};

}  // namespace entrepot
