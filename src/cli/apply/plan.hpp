#pragma once

#include "cli/apply/document.hpp"

#include <boost/json/value.hpp>

#include <span>
#include <string>
#include <vector>

namespace entrepot {

// One field that is not as it is to be. Within a map, `name` has the key after a dot.
struct ApplyDifference {
    std::string name;
    boost::json::value before;  // null where there is nothing
    boost::json::value after;
};

struct ApplyStep {
    enum class What { create, change, remove, nothing };
    What what;
    ApplyDocument wanted;   // of a removal: what is there
    ApplyDocument present;  // of a creation: empty
    std::vector<ApplyDifference> differences;
};

// What to do so that the server has what the files want. Creations and changes in the order of `shapes` (what others
// need comes first), then removals in the opposite one. `removable` are the server's objects that may go when no file
// has them.
struct ApplyPlan {
    std::vector<ApplyStep> steps;

    std::size_t count(ApplyStep::What what) const;
    bool changes_nothing() const { return count(ApplyStep::What::nothing) == steps.size(); }
};

ApplyPlan make_plan(
    std::span<const ApplyShape> shapes,
    std::vector<ApplyDocument> wanted,
    const std::vector<ApplyDocument>& present,
    const std::vector<ApplyDocument>& removable
);

// For people: a paragraph a step and a line that counts them.
std::string plan_text(const ApplyPlan& plan);

}  // namespace entrepot
