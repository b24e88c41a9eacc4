#include "tenancy/user_groups.hpp"

#include "tenancy/tenancy_names.hpp"

namespace entrepot {
namespace {

const Permission list_groups = need(ObjectKind::platform, "user-group", "list");
const Permission read_group = need(ObjectKind::platform, "user-group", "read");
const Permission create_group = need(ObjectKind::platform, "user-group", "create");
const Permission update_group = need(ObjectKind::platform, "user-group", "update");
const Permission delete_group = need(ObjectKind::platform, "user-group", "delete");

}  // namespace

Result<> check_group(const ExternalGroup& group)
{
    switch (group.type) {
        case GroupType::ldap:
            if (group.ldap_dn.empty()) return fail(Errc::bad_request, "an LDAP group has an ldap_group_dn");
            CHECK(check_shown_text("ldap_group_dn", group.ldap_dn));
            break;
        case GroupType::http:
        case GroupType::oidc:
            if (!group.ldap_dn.empty()) return fail(Errc::bad_request, "only an LDAP group has an ldap_group_dn");
            break;
        default: return fail(Errc::bad_request, "group_type is 1 (LDAP), 2 (HTTP) or 3 (OIDC)");
    }
    return check_shown_name("group_name", group.name);
}

Task<ListPage<ExternalGroup>> UserGroups::list(Caller caller, ListQuery query)
{
    CO_CHECK(require(granting_.policy(), caller, list_groups, the_platform));
    co_return co_await catalog_.list(std::move(query));
}

Task<ListPage<ExternalGroup>> UserGroups::search(std::string part, std::int64_t offset, std::int64_t limit)
{
    ListQuery query;
    query.conditions.push_back({"group_name", ListCondition::Kind::fuzzy, {std::move(part)}});
    query.offset = offset;
    query.limit = limit;
    co_return co_await catalog_.list(std::move(query));
}

Task<ExternalGroup> UserGroups::find(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, read_group, the_platform));
    co_return co_await catalog_.find(id);
}

Task<ExternalGroup> UserGroups::create(Caller caller, ExternalGroup group)
{
    CO_CHECK(require(granting_.policy(), caller, create_group, the_platform));
    CO_CHECK(check_group(group));
    co_return co_await catalog_.create(std::move(group), granting_.actor(caller));
}

Task<ExternalGroup> UserGroups::rename(Caller caller, std::int64_t id, std::string name)
{
    CO_CHECK(require(granting_.policy(), caller, update_group, the_platform));
    CO_CHECK(check_shown_name("group_name", name));
    CO_TRY(auto before, co_await catalog_.find(id));
    CO_CHECK(co_await catalog_.rename(id, std::move(name), granting_.actor(caller)));
    co_return before;
}

Task<ExternalGroup> UserGroups::remove(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, delete_group, the_platform));
    CO_TRY(auto before, co_await catalog_.find(id));
    CO_CHECK(co_await catalog_.remove(id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return before;
}

}  // namespace entrepot
