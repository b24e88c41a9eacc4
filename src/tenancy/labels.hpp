#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/label_catalog.hpp"

#include <string_view>

namespace entrepot {

// Labels as people manage them: the installation's admin the global ones, which every user may read, a project's
// members (as their roles have it) the project's.
class Labels {
public:
    Labels(LabelCatalog& catalog, const AccessPolicy& policy, const Clock& clock)
        : catalog_{catalog}, policy_{policy}, clock_{clock}
    {
    }

    Task<ListPage<Label>> list(Caller caller, std::int64_t project_id, ListQuery query);  // 0: the global ones
    Task<Label> find(Caller caller, std::int64_t id);
    Task<Label> create(Caller caller, Label label);  // bad_request, conflict
    Task<Label> change(Caller caller, Label label);
    Task<Label> remove(Caller caller, std::int64_t id);  // answers what it was

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Task<Label> require_label(Caller caller, std::int64_t id, std::string_view action);
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, clock_.now()}; }

    LabelCatalog& catalog_;
    const AccessPolicy& policy_;
    const Clock& clock_;
};

}  // namespace entrepot
