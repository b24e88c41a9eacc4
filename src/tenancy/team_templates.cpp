#include "tenancy/team_templates.hpp"

#include "access/permission_text.hpp"
#include "access/role.hpp"

namespace entrepot {
namespace {

TeamRight right(ObjectKind kind, std::int64_t role_id)
{
    return {.object_kind = std::string{name_of(kind)}, .role_id = role_id, .permissions = {}};
}

TeamRight quota_right()
{
    PermissionSet quota;
    quota.add(need(ObjectKind::tenant, "quota", "read"));
    quota.add(need(ObjectKind::tenant, "quota", "update"));
    return {.object_kind = "tenant", .role_id = 0, .permissions = permission_text(quota)};
}

}  // namespace

std::vector<NewTeam> team_templates()
{
    return {
        {.name = "SREs",
         .description = "Own load balancers and pipelines",
         .rights = {right(ObjectKind::load_balancer, role::basic_owner), right(ObjectKind::pipeline, role::basic_owner)}
        },
        {.name = "Developers",
         .description = "Use templates, and are developers in the tenant's projects",
         .rights = {right(ObjectKind::app_template, role::basic_user), right(ObjectKind::tenant, role::developer)}},
        {.name = "Resource",
         .description = "Own partitions and allocate quota",
         .rights = {right(ObjectKind::partition, role::basic_owner), quota_right()}},
        {.name = "Support", .description = "Use pipelines", .rights = {right(ObjectKind::pipeline, role::basic_user)}},
    };
}

}  // namespace entrepot
