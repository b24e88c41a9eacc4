#include "tenancy/grants.hpp"

#include "core/ascii.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission list_platform = need(ObjectKind::platform, "grant", "list");
const Permission list_tenant = need(ObjectKind::tenant, "grant", "list");
const Permission list_project = need(ObjectKind::project, "grant", "list");
const Permission create_platform = need(ObjectKind::platform, "grant", "create");
const Permission create_tenant = need(ObjectKind::tenant, "grant", "create");
const Permission create_project = need(ObjectKind::project, "grant", "create");
const Permission delete_platform = need(ObjectKind::platform, "grant", "delete");
const Permission delete_tenant = need(ObjectKind::tenant, "grant", "delete");
const Permission delete_project = need(ObjectKind::project, "grant", "delete");

constexpr Micros kept_after_expiry = Micros{30} * 24 * 3600 * 1'000'000;
constexpr std::size_t longest_pattern = 255;

Permission one_of(const ObjectRef& object, Permission on_platform, Permission on_tenant, Permission on_project) noexcept
{
    switch (object.kind) {
        case ObjectKind::platform: return on_platform;
        case ObjectKind::project: return on_project;
        default: return on_tenant;
    }
}

// Repository names and the wildcards of doublestar; for other systems' objects "cluster" or "cluster/partition".
Result<> check_pattern(ObjectKind kind, std::string_view pattern)
{
    if (kind == ObjectKind::platform || kind == ObjectKind::tenant || kind == ObjectKind::project) {
        if (pattern.empty()) return {};
        return fail(
            Errc::bad_request,
            "a pattern says which part of a " + std::string{name_of(kind)} +
                " is meant: "
                "name the kind of that part"
        );
    }
    if (pattern.empty() && kind == ObjectKind::repository) {
        return fail(Errc::bad_request, "it takes a pattern to say which repositories");
    }
    const auto fits = [](char c) { return is_letter_or_digit(c) || std::string_view{"._-/*?{},"}.contains(c); };
    if (pattern.size() > longest_pattern || !std::ranges::all_of(pattern, fits) || pattern.starts_with('/')) {
        return fail(Errc::bad_request, "the pattern is not one of names, '/', '*', '**', '?' and {a,b}");
    }
    return {};
}

}  // namespace

GrantReach Grants::reach_of(const Caller& caller) const
{
    const auto& policy = granting_.policy();
    GrantReach reach;
    reach.everything = policy.may(caller, list_platform, the_platform);
    if (reach.everything) return reach;
    reach.tenants = policy.tenants_with(caller, list_tenant).value_or(std::vector<std::int64_t>{});
    for (const auto id : policy.projects_with(caller, list_project).value_or(std::vector<std::int64_t>{})) {
        const auto project = policy.project(id);
        if (project && !std::ranges::binary_search(reach.tenants, project->tenant_id)) reach.projects.push_back(id);
    }
    return reach;
}

Task<ListPage<Grant>> Grants::list(Caller caller, ListQuery query)
{
    co_return co_await granting_.grants().list(reach_of(caller), std::move(query));
}

Task<Grant> Grants::find(Caller caller, std::int64_t id)
{
    CO_TRY(auto grant, co_await granting_.grants().find(id));
    const auto object = administered_at(grant.object_kind, grant.object_id);
    // Who may not list an object's grants learns nothing of this one, not even that there is one.
    if (!granting_.policy().may(caller, one_of(object, list_platform, list_tenant, list_project), object)) {
        co_return fail(Errc::not_found, "there is no such grant");
    }
    co_return grant;
}

Result<ObjectRef> Grants::object_of_wish(const GrantWish& wish) const
{
    const auto& policy = granting_.policy();
    ObjectRef object{.kind = wish.object_kind, .id = wish.object_id, .name = {}};
    const auto at = administered_at(wish.object_kind, 0).kind;
    if (at == ObjectKind::platform) return the_platform;
    if (object.id == 0 && wish.object_name.empty()) return fail(Errc::bad_request, "it takes an object's id or name");
    if (at == ObjectKind::project) {
        const auto project = object.id != 0 ? policy.project(object.id) : policy.project(wish.object_name);
        if (!project) return fail(Errc::not_found, "there is no such project");
        object.id = project->id;
    } else {
        const auto tenant = object.id != 0 ? policy.tenant(object.id) : policy.tenant(wish.object_name);
        if (!tenant) return fail(Errc::not_found, "there is no such tenant");
        object.id = tenant->id;
    }
    return object;
}

Task<Grant> Grants::create(Caller caller, GrantWish wish)
{
    CO_TRY(const auto object, object_of_wish(wish));
    const auto at = administered_at(object.kind, object.id);
    CO_CHECK(require(granting_.policy(), caller, one_of(at, create_platform, create_tenant, create_project), at));
    CO_CHECK(check_pattern(object.kind, wish.pattern));
    if (wish.expires_at != 0 && wish.expires_at <= granting_.now()) {
        co_return fail(Errc::bad_request, "expires_at is in the past");
    }
    CO_TRY(auto subject, co_await granting_.subject(caller, std::move(wish.subject), granting_.tenant_of(at)));
    CO_TRY(const auto role, co_await granting_.role(std::move(wish.role)));
    // For a part of a project or tenant too the caller must hold all of it on the whole.
    const ObjectRef whole{
        .kind = object.kind == ObjectKind::repository ? ObjectKind::project : object.kind,
        .id = object.id,
        .name = {},
    };
    CO_CHECK(granting_.expect_holds(caller, role, whole));
    NewGrant grant{
        .object_kind = object.kind,
        .object_id = object.id,
        .pattern = std::move(wish.pattern),
        .role_id = role.id,
        .expires_at = wish.expires_at,
        .origin = "api",
    };
    co_return co_await granting_.give(std::move(caller), std::move(subject), std::move(grant));
}

Task<Grant> Grants::remove(Caller caller, std::int64_t id)
{
    CO_TRY(auto grant, co_await find(caller, id));
    const auto at = administered_at(grant.object_kind, grant.object_id);
    CO_CHECK(require(granting_.policy(), caller, one_of(at, delete_platform, delete_tenant, delete_project), at));
    CO_CHECK(co_await granting_.take(std::move(caller), id));
    co_return grant;
}

Task<> Grants::remove_expired()
{
    const auto before = granting_.now() - kept_after_expiry;
    for (;;) {
        CO_TRY(const auto removed, co_await granting_.grants().remove_expired(before));
        if (removed == 0) co_return Result<>{};
        CO_CHECK(co_await granting_.directory().catch_up());
    }
}

}  // namespace entrepot
