#include "api/management/tenancy_json.hpp"

#include "access/permission_text.hpp"
#include "core/clock.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

namespace json = boost::json;

// "project:repository:pull" for each, in a fixed order.
json::array permissions_json(const PermissionSet& permissions)
{
    json::array list;
    const auto rows = all_permissions();
    for (std::uint16_t index = 0; index < rows.size(); ++index) {
        if (!permissions.has(Permission{index})) continue;
        const auto& row = rows[index];
        std::string text{name_of(row.kind)};
        text.append(":").append(row.resource).append(":").append(row.action);
        list.emplace_back(text);
    }
    return list;
}

// Harbor's names of its five roles.
constexpr std::array<std::string_view, 5> harbor_names{
    "projectAdmin", "developer", "guest", "maintainer", "limitedGuest"
};

}  // namespace

json::object as_json(const Tenant& tenant)
{
    return {
        {"id", tenant.id},
        {"name", tenant.name},
        {"display_name", tenant.display_name},
        {"description", tenant.description},
        {"frozen", tenant.frozen},
        {"protected", tenant.is_protected},
        {"quota_bytes", tenant.quota_bytes},
        {"quota_artifacts", tenant.quota_artifacts},
        {"project_count", tenant.project_count},
        {"member_count", tenant.member_count},
        {"creation_time", rfc3339(tenant.created_at)},
        {"update_time", rfc3339(tenant.updated_at)},
    };
}

json::object as_json(const TenantQuota& quota)
{
    const auto amounts = [](std::int64_t bytes, std::int64_t artifacts) {
        return json::object{{"storage", bytes}, {"artifacts", artifacts}};
    };
    return {
        {"hard", amounts(quota.quota_bytes, quota.quota_artifacts)},
        {"allocated", amounts(quota.allocated_bytes, quota.allocated_artifacts)},
        {"used", amounts(quota.used_bytes, quota.used_artifacts)},
    };
}

json::object as_json(const Team& team)
{
    return {
        {"id", team.id},
        {"tenant_id", team.tenant_id},
        {"name", team.name},
        {"description", team.description},
        {"implicit", team.implicit},
        {"member_count", team.member_count},
        {"creation_time", rfc3339(team.created_at)},
        {"update_time", rfc3339(team.updated_at)},
    };
}

json::object as_json(const TeamMember& member)
{
    return {
        {"user_id", member.user_id},
        {"username", member.name},
        {"realname", member.realname},
        {"added_time", rfc3339(member.added_at)},
    };
}

json::object short_json(const Role& role)
{
    return {{"id", role.id}, {"name", role.name}};
}

json::object as_json(const Role& role)
{
    return {
        {"id", role.id},
        {"name", role.name},
        {"description", role.description},
        {"builtin", role.builtin},
        {"permissions", permissions_json(role.permissions)},
    };
}

json::object as_json(const GrantSubject& subject)
{
    return {{"kind", name_of(subject.type)}, {"id", subject.id}, {"name", subject.name}};
}

json::object as_json(const Grant& grant)
{
    json::object object{
        {"kind", name_of(grant.object_kind)},
        {"id", grant.object_id},
        {"name", grant.object_name},
    };
    if (!grant.pattern.empty()) object["pattern"] = grant.pattern;
    json::object made{
        {"id", grant.id},
        {"subject", {{"kind", name_of(grant.subject_type)}, {"id", grant.subject_id}, {"name", grant.subject_name}}},
        {"object", std::move(object)},
    };
    if (grant.role_id != 0) {
        made["role"] = json::object{{"id", grant.role_id}, {"name", grant.role_name}};
    } else {
        made["permissions"] = permissions_json(permissions_in(grant.permissions, grant.object_kind));
    }
    if (grant.expires_at != 0) made["expires_at"] = rfc3339(grant.expires_at);
    made["origin"] = grant.origin;
    made["created_by"] = grant.created_by;
    made["creation_time"] = rfc3339(grant.created_at);
    return made;
}

json::object as_json(const ExternalGroup& group)
{
    return {
        {"id", group.id},
        {"group_name", group.name},
        {"group_type", static_cast<std::int64_t>(group.type)},
        {"ldap_group_dn", group.ldap_dn},
    };
}

json::object member_json(const Grant& grant)
{
    const auto index = static_cast<std::size_t>(std::clamp<std::int64_t>(grant.role_id, 1, 5) - 1);
    return {
        {"id", grant.id},
        {"project_id", grant.object_id},
        {"entity_name", grant.subject_name},
        {"role_name", harbor_names[index]},
        {"role_id", grant.role_id},
        {"entity_id", grant.subject_id},
        {"entity_type", is_principal(grant.subject_type) ? "u" : "g"},
    };
}

Result<std::int64_t> id_of(const JsonBody& body, std::string_view name)
{
    TRY(const auto id, body.optional_integer(name));
    if (id && *id < 0) return fail(Errc::bad_request, "\"" + std::string{name} + "\" is no id");
    return id.value_or(0);
}

Result<SubjectRef> user_of(const JsonBody& body)
{
    SubjectRef user;
    TRY(user.id, id_of(body, "user_id"));
    TRY(auto name, body.optional_text("username"));
    user.name = std::move(name).value_or("");
    if (user.id == 0 && user.name.empty()) return fail(Errc::bad_request, "it takes a user_id or a username");
    return user;
}

Result<RoleRef> role_of(const JsonBody& body)
{
    RoleRef role;
    TRY(role.id, id_of(body, "role_id"));
    if (role.id != 0 || !body.has("role")) return role;
    if (body.raw().at("role").is_string()) {
        TRY(role.name, body.text("role"));
        return role;
    }
    TRY(const auto object, body.optional_object("role"));
    TRY(role.id, id_of(*object, "id"));
    TRY(auto name, object->optional_text("name"));
    role.name = std::move(name).value_or("");
    if (role.id == 0 && role.name.empty()) return fail(Errc::bad_request, "\"role\" has neither id nor name");
    return role;
}

void tell(AuditRecord* audit, const AuditedChange& change, const json::object* before, const json::object* after)
{
    if (audit == nullptr) return;
    audit->resource_type = change.type;
    audit->resource = change.name;
    audit->tenant_id = change.tenant_id;
    audit->project_id = change.project_id;
    if (before != nullptr) audit->before = json::serialize(*before);
    if (after != nullptr) audit->after = json::serialize(*after);
}

}  // namespace entrepot
