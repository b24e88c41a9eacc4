#include "tenancy/robots.hpp"

#include "access/may_grant.hpp"
#include "access/token_text.hpp"
#include "core/utf8.hpp"
#include "tenancy/robot_secret.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace entrepot {
namespace {

constexpr std::size_t longest_name = 255;
constexpr std::size_t longest_description = 1024;
constexpr std::size_t most_permissions = 1000;
constexpr std::int64_t most_days = 36'500;
constexpr Micros day = Micros{24} * 3600 * 1'000'000;

constexpr ObjectKind object_kind(RobotLevel level) noexcept
{
    switch (level) {
        case RobotLevel::system: return ObjectKind::platform;
        case RobotLevel::tenant: return ObjectKind::tenant;
        case RobotLevel::project: return ObjectKind::project;
    }
    return ObjectKind::platform;
}

ObjectRef object_at(ObjectKind kind, std::int64_t id) noexcept
{
    return {.kind = kind, .id = id, .name = {}};
}

ObjectRef home_of(const Robot& robot) noexcept
{
    return object_at(object_kind(robot.level), robot.project_id + robot.tenant_id);
}

// As Harbor: small letters and digits, in parts that . _ or - join.
Result<> check_name(std::string_view name)
{
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const auto is_join = [](char c) { return c == '.' || c == '_' || c == '-'; };
    bool fits = !name.empty() && name.size() <= longest_name && is_word(name.front()) && is_word(name.back());
    for (std::size_t at = 0; fits && at < name.size(); ++at) {
        fits = is_word(name[at]) || (is_join(name[at]) && is_word(name[at - 1]));
    }
    if (fits) return {};
    return fail(Errc::bad_request, "a robot's name has small letters and digits, in parts joined by . _ or -");
}

Result<> check_description(std::string_view text)
{
    if (text.size() <= longest_description && is_plain_text(text)) return {};
    return fail(Errc::bad_request, "a robot's description has at most 1024 bytes and no control characters");
}

std::unexpected<Error> malformed(std::string message)
{
    return fail(Errc::bad_request, std::move(message));
}

// The same for one that is hidden and for one that isn't there.
std::unexpected<Error> no_such_tenant(const std::string& name)
{
    return fail(Errc::not_found, "there is no tenant " + name);
}

bool sees_tenant(const AccessPolicy& policy, const Caller& caller, const TenantAccess& tenant)
{
    static const auto read_tenant = need(ObjectKind::tenant, "tenant", "read");
    return policy.may(caller, read_tenant, object_of(tenant));
}

std::unexpected<Error> no_such_robot()
{
    return fail(Errc::not_found, "there is no such robot");
}

// What the access list names on objects of this kind.
Result<PermissionSet> permissions_named(const RobotPermission& wanted)
{
    const auto kind = object_kind(wanted.kind);
    PermissionSet set;
    for (const auto& [resource, action] : wanted.access) {
        const auto permission = find_permission(kind, resource, action);
        if (!permission || !robots_may_have(*permission)) {
            return malformed(
                "no robot can be given " + resource + ":" + action + " on a " + std::string{name_of(wanted.kind)}
            );
        }
        set.add(*permission);
    }
    return set;
}

// The object that one permission of a robot names, seen by whoever asks; "*" is what is above all projects or tenants.
Result<ObjectRef>
named_object(const AccessPolicy& policy, const Caller& caller, const Robot& robot, const RobotPermission& wanted)
{
    const bool all = wanted.name == "*";
    if (wanted.kind == RobotLevel::system) {
        if (robot.level != RobotLevel::system) return malformed("only a system's robot has system permissions");
        if (!wanted.name.empty() && wanted.name != "/") return malformed("the system's namespace is \"/\"");
        return the_platform;
    }
    if (all && robot.level == RobotLevel::system) return the_platform;
    if (wanted.kind == RobotLevel::tenant) {
        if (robot.level == RobotLevel::project) return malformed("a project's robot has no permissions on tenants");
        const auto tenant = policy.tenant(wanted.name);
        if (tenant && tenant->id == robot.tenant_id) return object_of(*tenant);
        if (robot.level == RobotLevel::tenant) return malformed("a tenant's robot has permissions on its tenant alone");
        if (!tenant || !sees_tenant(policy, caller, *tenant)) return no_such_tenant(wanted.name);
        return object_of(*tenant);
    }
    if (all && robot.level == RobotLevel::tenant) return object_at(ObjectKind::tenant, robot.tenant_id);
    TRY(const auto project, require_project(policy, caller, policy.project(wanted.name)));
    if (robot.level == RobotLevel::project && project->id != robot.project_id) {
        return malformed("a project's robot has permissions on its project alone");
    }
    if (robot.level == RobotLevel::tenant && project->tenant_id != robot.tenant_id) {
        return malformed("a tenant's robot has permissions on projects of its tenant alone");
    }
    return object_of(*project);
}

bool same_rights(const std::vector<RobotRight>& left, const std::vector<RobotRight>& right)
{
    return std::ranges::is_permutation(left, right, [](const RobotRight& a, const RobotRight& b) {
        return a.kind == b.kind && a.object_id == b.object_id && a.permissions == b.permissions;
    });
}

}  // namespace

bool robots_may_have(Permission permission) noexcept
{
    const auto& row = permission.row();
    switch (row.kind) {
        // What the installation is is for people to say.
        case ObjectKind::platform: return row.resource != "configuration";
        case ObjectKind::tenant:
        case ObjectKind::project: return true;
        default: return false;
    }
}

Result<Micros> Robots::expiry(std::int64_t days, Micros from) const
{
    if (days == -1) return Micros{0};
    if (days < 1 || days > most_days) return malformed("a robot lives for 1 to 36500 days, or for ever: -1");
    return from + days * day;
}

// The object at whose level the robot is made.
Result<ObjectRef> Robots::home_of(const Caller& caller, const RobotOrder& order) const
{
    const auto& policy = needs_.granting.policy();
    if (order.level == RobotLevel::system) return the_platform;
    if (order.level == RobotLevel::project) {
        const bool one = order.permissions.size() == 1 && order.permissions[0].kind == RobotLevel::project;
        if (!one) return malformed("a project's robot has exactly one permission, on its project");
        TRY(const auto project, require_project(policy, caller, policy.project(order.permissions[0].name)));
        return object_of(*project);
    }
    const auto named = std::ranges::find(order.permissions, RobotLevel::tenant, &RobotPermission::kind);
    if (named == order.permissions.end()) return malformed("a tenant's robot names its tenant in a permission");
    const auto tenant = policy.tenant(named->name);
    if (!tenant || !sees_tenant(policy, caller, *tenant)) return no_such_tenant(named->name);
    return object_of(*tenant);
}

Result<std::vector<RobotRight>>
Robots::rights_of(const Caller& caller, const Robot& robot, const std::vector<RobotPermission>& permissions) const
{
    if (permissions.size() > most_permissions) return malformed("these are too many permissions");
    // Several on one object are one right.
    std::map<std::pair<ObjectKind, std::int64_t>, PermissionSet> sums;
    for (const auto& wanted : permissions) {
        TRY(const auto object, named_object(needs_.granting.policy(), caller, robot, wanted));
        TRY(const auto set, permissions_named(wanted));
        if (set.empty() && wanted.kind != RobotLevel::tenant) return malformed("a permission without access");
        if (!set.empty()) sums[{object.kind, object.id}] |= set;
    }
    if (sums.empty()) return malformed("a robot needs at least one permission");
    std::vector<RobotRight> rights;
    for (const auto& [object, set] : sums) {
        rights.push_back({.kind = object.first, .object_id = object.second, .object_name = {}, .permissions = set});
    }
    return rights;
}

Result<> Robots::expect_holds(const Caller& caller, const std::vector<RobotRight>& rights) const
{
    for (const auto& right : rights) {
        const auto object = object_at(right.kind, right.object_id);
        if (!may_grant(needs_.granting.policy(), caller, right.permissions, object)) {
            return fail(Errc::denied, "nobody can give a robot rights that they do not have themselves");
        }
    }
    return {};
}

Task<Robots::Made> Robots::create(Caller caller, RobotOrder order)
{
    CO_CHECK(check_name(order.name));
    CO_CHECK(check_description(order.description));
    CO_TRY(const auto home, home_of(caller, order));
    CO_CHECK(require(needs_.granting.policy(), caller, need(home.kind, "robot", "create"), home));

    Robot robot;
    robot.level = order.level;
    auto full = needs_.settings.robot_name_prefix();
    if (order.level == RobotLevel::project) {
        robot.project_id = home.id;
        full += order.permissions[0].name + "+";
    } else if (order.level == RobotLevel::tenant) {
        robot.tenant_id = home.id;
        full += "@" + needs_.granting.policy().tenant(home.id)->name + "+";
    }
    robot.name = full + order.name;
    robot.description = std::move(order.description);
    robot.disabled = order.disabled;
    robot.duration_days = order.days == 0 ? needs_.settings.robot_days() : order.days;
    const auto actor = needs_.granting.actor(caller);
    CO_TRY(robot.expires_at, expiry(robot.duration_days, actor.at));
    CO_TRY(robot.rights, rights_of(caller, robot, order.permissions));
    CO_CHECK(expect_holds(caller, robot.rights));

    Made made;
    made.secret = make_robot_secret(needs_.random);
    CO_TRY(made.robot, co_await needs_.catalog.create(std::move(robot), secret_hash(made.secret), actor));
    CO_CHECK(co_await needs_.granting.directory().catch_up());
    co_return made;
}

Task<ListPage<Robot>> Robots::list(Caller caller, RobotLevel level, std::int64_t home, ListQuery query)
{
    const auto object = object_at(object_kind(level), home);
    CO_CHECK(require(needs_.granting.policy(), caller, need(object.kind, "robot", "list"), object));
    co_return co_await needs_.catalog.list(level, home, std::move(query));
}

// Who may not read a robot does not learn that it exists.
Task<Robot> Robots::found(Caller caller, std::int64_t id, std::string_view action)
{
    if (caller.identity->anonymous()) co_return fail(Errc::unauthorized, "authentication required");
    CO_TRY(auto robot, co_await needs_.catalog.find(id));
    const auto home = entrepot::home_of(robot);
    const auto& policy = needs_.granting.policy();
    if (policy.may(caller, need(home.kind, "robot", action), home)) co_return robot;
    if (!policy.may(caller, need(home.kind, "robot", "read"), home)) co_return no_such_robot();
    co_return fail(Errc::denied, "you may read this robot, and not " + std::string{action} + " it");
}

Task<Robot> Robots::find(Caller caller, std::int64_t id)
{
    co_return co_await found(std::move(caller), id, "read");
}

Task<Robots::Changed> Robots::change(Caller caller, std::int64_t id, RobotWish wish)
{
    Changed changed;
    CO_TRY(changed.before, co_await found(caller, id, "update"));
    const auto& before = changed.before;
    const bool renamed = wish.name && *wish.name != before.name && !before.name.ends_with("+" + *wish.name) &&
                         before.name != needs_.settings.robot_name_prefix() + *wish.name;
    if (renamed || (wish.level && *wish.level != before.level)) {
        co_return malformed("a robot's name and level can't be changed");
    }
    if (wish.description) CO_CHECK(check_description(*wish.description));
    RobotChange change{.description = std::move(wish.description), .disabled = wish.disabled};
    if (wish.days) {
        change.duration_days = *wish.days == 0 ? needs_.settings.robot_days() : *wish.days;
        // What stays the same keeps its end.
        if (*change.duration_days == before.duration_days) {
            change.expires_at = before.expires_at;
        } else {
            CO_TRY(change.expires_at, expiry(*change.duration_days, before.created_at));
        }
    }
    if (wish.permissions) {
        CO_TRY(auto rights, rights_of(caller, before, *wish.permissions));
        if (!same_rights(rights, before.rights)) {
            CO_CHECK(expect_holds(caller, rights));
            change.rights = std::move(rights);
        }
    }
    // Who lets a robot live gives its rights away, for as long as that is.
    const auto lasts = [](Micros end) { return end == 0 ? std::numeric_limits<Micros>::max() : end; };
    const bool prolonged = change.duration_days && lasts(change.expires_at) > lasts(before.expires_at);
    const bool enabled = before.disabled && change.disabled == false;
    if (prolonged || enabled) CO_CHECK(co_await needs_.granting.expect_holds_all_of(caller, SubjectType::robot, id));
    CO_TRY(changed.after, co_await needs_.catalog.change(id, std::move(change), needs_.granting.actor(caller)));
    CO_CHECK(co_await needs_.granting.directory().catch_up());
    co_return changed;
}

Task<Robots::Rotated> Robots::rotate(Caller caller, std::int64_t id, std::string secret, std::chrono::seconds overlap)
{
    Rotated rotated;
    CO_TRY(rotated.robot, co_await found(caller, id, "update"));
    if (overlap < std::chrono::seconds{0} || overlap > longest_overlap) {
        co_return malformed("the secret before stays good for 0 seconds to 30 days");
    }
    if (!secret.empty()) CO_CHECK(check_robot_secret(secret));
    // Who has a robot's secret has its rights.
    CO_CHECK(co_await needs_.granting.expect_holds_all_of(caller, SubjectType::robot, id));
    std::string hash;
    if (secret.empty()) {
        rotated.secret = make_robot_secret(needs_.random);
        hash = secret_hash(rotated.secret);
    } else {
        CO_TRY(hash, co_await needs_.hasher.hash(secret));
        rotated.secret = std::move(secret);
    }
    const auto actor = needs_.granting.actor(caller);
    const auto until = overlap.count() == 0 ? Micros{0} : actor.at + std::chrono::microseconds{overlap}.count();
    CO_CHECK(co_await needs_.catalog.set_secret(id, std::move(hash), until, actor));
    CO_CHECK(co_await needs_.granting.directory().catch_up());
    co_return rotated;
}

Task<Robot> Robots::remove(Caller caller, std::int64_t id)
{
    CO_TRY(auto robot, co_await found(caller, id, "delete"));
    CO_CHECK(co_await needs_.catalog.remove(id, needs_.granting.actor(caller)));
    CO_CHECK(co_await needs_.granting.directory().catch_up());
    co_return robot;
}

}  // namespace entrepot
