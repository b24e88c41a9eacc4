#pragma once

#include "access/policy.hpp"
#include "core/completion.hpp"
#include "ports/access_catalog.hpp"

#include <mutex>
#include <vector>

namespace entrepot {

// Keeps the policy's memory up with the metadata store. Every verb that changed something about access calls
// catch_up() after its commit and before it answers; the feed of other instances' changes does the same. Safe from any
// thread.
class AccessDirectory {
public:
    AccessDirectory(AccessCatalog& catalog, AccessPolicy& policy) : catalog_{catalog}, policy_{policy} {}

    // When this answers, the policy knows every change that had committed before it was called. Calls that meet share
    // a read: one is under way at a time, and those that come meanwhile wait for the next. unavailable.
    Task<> catch_up();

private:
    Task<> read();
    std::vector<Completion<bool>> take_waiting();
    void hand_over();

    AccessCatalog& catalog_;
    AccessPolicy& policy_;
    std::mutex mutex_;
    bool reading_ = false;
    std::vector<Completion<bool>> waiting_;  // told whether to lead the next read
};

}  // namespace entrepot
