#include "cli/apply/kinds.hpp"

namespace entrepot {

const std::vector<const ApplyKind*>& apply_kinds()
{
    static const std::vector<const ApplyKind*> all{
        &role_kind(),
        &user_kind(),
        &tenant_kind(),
        &team_kind(),
        &registry_kind(),
        &project_kind(),
        &quota_kind(),
        &label_kind(),
        &member_kind(),
        &robot_kind(),
        &grant_kind(),
        &replication_kind(),
    };
    return all;
}

const std::vector<ApplyShape>& apply_shapes()
{
    static const auto all = [] {
        std::vector<ApplyShape> shapes;
        for (const auto* kind : apply_kinds()) shapes.push_back(kind->shape());
        return shapes;
    }();
    return all;
}

}  // namespace entrepot
