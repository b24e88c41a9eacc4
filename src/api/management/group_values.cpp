#include "api/management/group_values.hpp"

#include "api/management/tenancy_json.hpp"
#include "tenancy/user_groups.hpp"

namespace entrepot {
namespace {

// "sre" of "cn=sre,ou=groups,dc=example".
std::string first_name_in(std::string_view dn)
{
    auto first = dn.substr(0, dn.find(','));
    if (const auto equals = first.find('='); equals != std::string_view::npos) first = first.substr(equals + 1);
    return std::string{first};
}

Result<ExternalGroup> parse(const JsonBody& body, std::int64_t type)
{
    ExternalGroup group;
    TRY(auto name, body.optional_text("group_name"));
    TRY(auto dn, body.optional_text("ldap_group_dn"));
    group.type = static_cast<GroupType>(type);
    group.ldap_dn = std::move(dn).value_or("");
    group.name = std::move(name).value_or("");
    if (group.name.empty() && group.type == GroupType::ldap) group.name = first_name_in(group.ldap_dn);
    CHECK(check_group(group));
    return group;
}

Result<std::optional<std::int64_t>> type_of(const JsonBody& body)
{
    TRY(const auto type, body.optional_integer("group_type"));
    if (type && (*type < 1 || *type > 3)) {
        return fail(Errc::bad_request, "group_type is 1 (LDAP), 2 (HTTP) or 3 (OIDC)");
    }
    return type;
}

}  // namespace

Result<ExternalGroup> group_of(const JsonBody& body)
{
    TRY(const auto type, type_of(body));
    if (!type) return fail(Errc::bad_request, "\"group_type\" is missing");
    return parse(body, *type);
}

Result<ExternalGroup> member_group_of(const JsonBody& body)
{
    ExternalGroup group;
    TRY(group.id, id_of(body, "id"));
    if (group.id != 0) return group;
    TRY(const auto type, type_of(body));
    const auto guess = body.has("ldap_group_dn") ? GroupType::ldap : GroupType::oidc;
    return parse(body, type.value_or(static_cast<std::int64_t>(guess)));
}

}  // namespace entrepot
