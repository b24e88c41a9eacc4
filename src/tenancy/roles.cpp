#include "tenancy/roles.hpp"

#include "access/may_grant.hpp"
#include "core/ascii.hpp"
#include "tenancy/tenancy_names.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission create_role = need(ObjectKind::platform, "role", "create");
const Permission update_role = need(ObjectKind::platform, "role", "update");
const Permission delete_role = need(ObjectKind::platform, "role", "delete");

// The few roles there are fit into memory, so a list of them is filtered there.
Result<bool> fits(const Role& role, const ListCondition& condition)
{
    const auto one_of = [&](const std::string& value) {
        return std::ranges::find(condition.values, value) != condition.values.end();
    };
    if (condition.kind != ListCondition::Kind::range && condition.kind != ListCondition::Kind::all_of) {
        const bool fuzzy = condition.kind == ListCondition::Kind::fuzzy;
        if (condition.field == "name" && fuzzy) return lowered(role.name).contains(lowered(condition.values.at(0)));
        if (condition.field == "name") return one_of(role.name);
        if (condition.field == "id" && !fuzzy) return one_of(std::to_string(role.id));
        if (condition.field == "builtin" && !fuzzy) return one_of(role.builtin ? "true" : "false");
    }
    return fail(Errc::bad_request, "roles can't be asked for by " + condition.field + " in this way");
}

Result<> sort(std::vector<Role>& roles, const std::vector<ListOrder>& order)
{
    for (auto by = order.rbegin(); by != order.rend(); ++by) {
        if (by->field != "id" && by->field != "name") {
            return fail(Errc::bad_request, "this list can't be sorted by " + by->field);
        }
        const auto less = [&](const Role& left, const Role& right) {
            return by->field == "id" ? left.id < right.id : left.name < right.name;
        };
        // Both are unique, so there are no equals whose order could matter.
        std::ranges::sort(roles, [&](const Role& left, const Role& right) {
            return by->descending ? less(right, left) : less(left, right);
        });
    }
    return {};
}

Result<> check(const AccessPolicy& policy, const Caller& caller, const Role& role)
{
    CHECK(check_shown_name("name", role.name));
    CHECK(check_shown_text("description", role.description));
    if (role.permissions.empty()) return fail(Errc::bad_request, "a role without permissions is good for nothing");
    if (!may_grant(policy, caller, role.permissions, the_platform)) {
        return fail(Errc::denied, "nobody can give rights that they do not have themselves");
    }
    const auto same_name = [&](const Role& other) { return other.name == role.name; };
    if (std::ranges::any_of(builtin_roles(), same_name)) {
        return fail(Errc::conflict, "role " + role.name + " exists already");
    }
    return {};
}

std::unexpected<Error> stays()
{
    return fail(Errc::precondition_failed, "built-in roles stay as they are");
}

}  // namespace

Task<ListPage<Role>> Roles::list(ListQuery query)
{
    std::vector<Role> roles{builtin_roles().begin(), builtin_roles().end()};
    CO_TRY(auto custom, co_await granting_.roles().all());
    std::ranges::move(custom, std::back_inserter(roles));
    for (const auto& condition : query.conditions) {
        std::vector<Role> kept;
        for (auto& role : roles) {
            CO_TRY(const bool wanted, fits(role, condition));
            if (wanted) kept.push_back(std::move(role));
        }
        roles = std::move(kept);
    }
    CO_CHECK(sort(roles, query.order));
    ListPage<Role> page;
    page.total = static_cast<std::int64_t>(roles.size());
    const auto first = std::min(query.offset, page.total);
    const auto last = std::min(first + query.limit, page.total);
    std::move(roles.begin() + first, roles.begin() + last, std::back_inserter(page.items));
    co_return page;
}

Task<Role> Roles::find(std::int64_t id)
{
    RoleRef wanted{.id = id, .name = {}};
    co_return co_await granting_.role(std::move(wanted));
}

Task<Role> Roles::create(Caller caller, Role role)
{
    CO_CHECK(require(granting_.policy(), caller, create_role, the_platform));
    CO_CHECK(check(granting_.policy(), caller, role));
    CO_TRY(auto made, co_await granting_.roles().create(std::move(role), granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return made;
}

Task<Roles::Changed> Roles::change(Caller caller, Role role)
{
    CO_CHECK(require(granting_.policy(), caller, update_role, the_platform));
    CO_TRY(auto before, co_await find(role.id));
    if (before.builtin) co_return stays();
    CO_CHECK(check(granting_.policy(), caller, role));
    CO_TRY(auto after, co_await granting_.roles().change(std::move(role), granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return Changed{std::move(before), std::move(after)};
}

Task<Role> Roles::remove(Caller caller, std::int64_t id)
{
    CO_CHECK(require(granting_.policy(), caller, delete_role, the_platform));
    CO_TRY(auto before, co_await find(id));
    if (before.builtin) co_return stays();
    CO_CHECK(co_await granting_.roles().remove(id, granting_.actor(caller)));
    CO_CHECK(co_await granting_.directory().catch_up());
    co_return before;
}

}  // namespace entrepot
