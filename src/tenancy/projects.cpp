#include "tenancy/projects.hpp"

#include "access/glob.hpp"
#include "access/require.hpp"
#include "tenancy/project_metadata.hpp"

#include <algorithm>
#include <charconv>

namespace entrepot {
namespace {

const Permission read_project = need(ObjectKind::project, "project", "read");
const Permission update_project = need(ObjectKind::project, "project", "update");
const Permission delete_project = need(ObjectKind::project, "project", "delete");
const Permission read_project_quota = need(ObjectKind::project, "quota", "read");
const Permission list_members = need(ObjectKind::project, "member", "list");
const Permission pull_from = need(ObjectKind::project, "repository", "pull");
const Permission read_metadata = need(ObjectKind::project, "metadata", "read");
const Permission create_metadata = need(ObjectKind::project, "metadata", "create");
const Permission update_metadata = need(ObjectKind::project, "metadata", "update");
const Permission delete_metadata = need(ObjectKind::project, "metadata", "delete");
const Permission create_in_tenant = need(ObjectKind::tenant, "project", "create");
const Permission update_tenant = need(ObjectKind::tenant, "tenant", "update");
const Permission read_tenant_quota = need(ObjectKind::tenant, "quota", "read");
const Permission update_tenant_quota = need(ObjectKind::tenant, "quota", "update");
const Permission read_tenant = need(ObjectKind::tenant, "tenant", "read");
const Permission list_all_quotas = need(ObjectKind::platform, "quota", "list");
const Permission update_all_quotas = need(ObjectKind::platform, "quota", "update");
const Permission read_endpoints = need(ObjectKind::platform, "registry", "read");
const Permission read_tenant_endpoints = need(ObjectKind::tenant, "registry", "read");
const Permission create_anywhere = need(ObjectKind::platform, "project", "create");

// Harbor's roles, strongest first.
constexpr std::int64_t roles_by_strength[] = {
    role::project_admin, role::maintainer, role::developer, role::guest, role::limited_guest
};

constexpr std::size_t most_patterns = 100;  // of a source, of each kind
constexpr std::string_view default_tenant = "default";
constexpr std::int64_t most_in_quota = std::int64_t{1} << 50U;  // Harbor's: 1,024 TiB

Result<> check_limit(const std::optional<std::int64_t>& limit)
{
    if (!limit || (*limit >= no_quota && *limit <= most_in_quota)) return {};
    return fail(Errc::bad_request, "a limit is -1 (none) or from 0 to " + std::to_string(most_in_quota));
}

std::optional<std::int64_t> as_id(const std::string& text)
{
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size() || id <= 0) return std::nullopt;
    return id;
}

}  // namespace

Result<std::shared_ptr<const ProjectAccess>> Projects::visible(const Caller& caller, std::int64_t id) const
{
    return require_project(needs_.policy, caller, needs_.policy.project(id));
}

Task<ListPage<Project>> Projects::list(Caller caller, ListQuery query)
{
    auto ids = needs_.policy.visible_projects(caller);
    co_return co_await needs_.catalog.list(std::move(query), std::move(ids));
}

Task<Project> Projects::find(Caller caller, std::int64_t id)
{
    CO_TRY(const auto project, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, read_project, object_of(*project)));
    co_return co_await needs_.catalog.find(id);
}

Result<std::shared_ptr<const TenantAccess>> Projects::tenant_of(const Caller& caller, const std::string& text) const
{
    const auto id = as_id(text);
    auto tenant = id             ? needs_.policy.tenant(*id)
                  : text.empty() ? needs_.policy.tenant(default_tenant)
                                 : needs_.policy.tenant(text);
    const auto missing = [] { return fail(Errc::not_found, "there is no such tenant"); };
    if (!tenant) return missing();
    // Who may create projects anywhere need not be able to read the tenant.
    const bool known = text.empty() || needs_.policy.may(caller, read_tenant, object_of(*tenant)) ||
                       needs_.policy.may(caller, create_anywhere, the_platform);
    if (!known) return missing();
    return tenant;
}

bool Projects::is_member(const Caller& caller, std::int64_t tenant_id) const
{
    const auto principal = needs_.policy.principal(caller.identity->user_id);
    return principal && std::ranges::find(principal->tenants, tenant_id) != principal->tenants.end();
}

bool Projects::may_create_in(const Caller& caller, const TenantAccess& tenant) const
{
    if (needs_.policy.may(caller, create_in_tenant, object_of(tenant))) return true;
    if (tenant.frozen) return false;
    if (needs_.policy.may(caller, create_anywhere, the_platform)) return true;
    const bool is_person = caller.identity->kind == PrincipalKind::user && !caller.limit;
    return needs_.settings.everyone_creates_projects() && is_person && is_member(caller, tenant.id);
}

// A tenant's own endpoints serve its projects alone; the platform's are for those to give who may read them.
Task<> Projects::check_endpoint(Caller caller, std::int64_t id, std::int64_t tenant_id) const
{
    const bool of_platform = needs_.policy.may(caller, read_endpoints, the_platform);
    const auto tenant = needs_.policy.tenant(tenant_id);
    const bool of_tenant = tenant && needs_.policy.may(caller, read_tenant_endpoints, object_of(*tenant));
    const auto endpoint = co_await needs_.endpoints.find(id);
    const bool missing = !endpoint && endpoint.error().code() == Errc::not_found;
    if (!endpoint && !missing) co_return std::unexpected{endpoint.error()};
    const bool theirs = endpoint && endpoint->tenant_id == tenant_id;
    if (!of_platform && !(of_tenant && theirs)) {
        co_return fail(Errc::denied, "you may not use this registry endpoint");
    }
    if (missing) co_return fail(Errc::bad_request, "there is no such registry endpoint");
    if (endpoint->tenant_id != 0 && !theirs) {
        co_return fail(Errc::bad_request, "this registry endpoint belongs to another tenant");
    }
    co_return Result<>{};
}

// What the project has already may stay, whoever sends it back. Each pull is judged by the puller's own rights to the
// source; whoever names one may pull from it as well, so that a token for the one project that they get hold of opens
// nothing that they can't open themselves.
Result<> Projects::check_sources(
    const Caller& caller, const std::vector<ProjectSource>& sources, const std::vector<ProjectSource>& before
) const
{
    if (sources.size() > most_sources) {
        return fail(Errc::bad_request, "a project has at most " + std::to_string(most_sources) + " sources");
    }
    for (auto at = sources.begin(); at != sources.end(); ++at) {
        const auto source_id = at->project_id;
        const auto same = [source_id](const ProjectSource& other) { return other.project_id == source_id; };
        if (source_id == 0 && !(at->repositories.empty() && at->except.empty())) {
            return fail(Errc::bad_request, "a project has all its own names: no patterns where it names itself");
        }
        const auto project = source_id == 0 ? nullptr : needs_.policy.project(source_id);
        const bool known = source_id == 0 || (project && needs_.policy.may(caller, pull_from, object_of(*project)));
        if (!known && std::ranges::none_of(before, same)) {
            const auto place = std::to_string(at - sources.begin() + 1);
            return fail(Errc::bad_request, "source " + place + " names no project that you may pull from");
        }
        if (std::any_of(sources.begin(), at, same)) return fail(Errc::bad_request, "a project is twice a source");
        if (at->repositories.size() > most_patterns || at->except.size() > most_patterns) {
            return fail(Errc::bad_request, "a source has at most " + std::to_string(most_patterns) + " patterns");
        }
        for (const auto& pattern : at->repositories) CHECK(check_glob(pattern));
        for (const auto& pattern : at->except) CHECK(check_glob(pattern));
    }
    return {};
}

Task<Project> Projects::create(Caller caller, ProjectOrder order)
{
    if (caller.identity->anonymous()) co_return fail(Errc::unauthorized, "authentication required");
    CO_TRY(const auto tenant, tenant_of(caller, order.tenant));
    if (!may_create_in(caller, *tenant)) co_return fail(Errc::denied, "you may not create projects in this tenant");
    CO_CHECK(check_limit(order.storage_limit));
    if (order.registry_id != 0) CO_CHECK(co_await check_endpoint(caller, order.registry_id, tenant->id));
    CO_CHECK(check_sources(caller, order.sources, {}));
    const bool may_set_limit = needs_.policy.may(caller, update_tenant_quota, object_of(*tenant)) ||
                               needs_.policy.may(caller, update_all_quotas, the_platform);
    auto limit = needs_.settings.quota_per_project() ? needs_.settings.storage_per_project() : no_quota;
    if (may_set_limit && order.storage_limit.value_or(0) != 0) limit = *order.storage_limit;
    for (const auto& [name, value] : order.metadata) {
        if (name != allowlist_metadata) CO_CHECK(check_project_metadata(name, value));
    }
    NewProject wanted{
        .name = std::move(order.name),
        .is_public = order.is_public,
        .shared = order.shared,
        .tenant_id = tenant->id,
        .quota_bytes = limit,
        .metadata = std::move(order.metadata),
        .registry_id = order.registry_id,
        .proxy_settings = std::move(order.proxy_settings),
        .sources = std::move(order.sources),
    };
    CO_TRY(auto project, co_await needs_.catalog.create(std::move(wanted), actor(caller)));
    CO_CHECK(co_await needs_.directory.catch_up());
    co_return project;
}

Task<Project> Projects::change(Caller caller, std::int64_t id, ProjectChange change)
{
    CO_TRY(const auto project, visible(caller, id));
    const bool changes_guard = change.frozen || change.is_protected;
    const bool changes_rest =
        change.is_public || change.shared || !change.metadata.empty() || change.proxy_settings || change.sources;
    if (changes_guard) {
        const auto tenant = needs_.policy.tenant(project->tenant_id);
        if (!tenant || !needs_.policy.may(caller, update_tenant, object_of(*tenant))) {
            co_return fail(Errc::denied, "only the tenant's admin may freeze or protect a project");
        }
    }
    if (changes_rest || !changes_guard) {
        // What is thawed by the same request may be changed by it, as far as it may be once it is thawed.
        const bool thaws = change.frozen == false && project->frozen;
        const auto object = object_of(*project);
        const bool may = thaws ? needs_.policy.may_once_thawed(caller, update_project, object)
                               : needs_.policy.may(caller, update_project, object);
        if (!may) CO_CHECK(require(needs_.policy, caller, update_project, object));
    }
    for (const auto& [name, value] : change.metadata) {
        if (value && name != allowlist_metadata) CO_CHECK(check_project_metadata(name, *value));
    }
    if (change.sources) CO_CHECK(check_sources(caller, *change.sources, project->sources));
    CO_TRY(auto changed, co_await needs_.catalog.change(id, std::move(change), actor(caller)));
    CO_CHECK(co_await needs_.directory.catch_up());
    co_return changed;
}

Task<Project> Projects::metadata(Caller caller, std::int64_t id)
{
    CO_TRY(const auto project, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, read_metadata, object_of(*project)));
    co_return co_await needs_.catalog.find(id);
}

Task<Project> Projects::change_metadata(
    Caller caller, std::int64_t id, std::string name, std::optional<std::string> value, std::optional<bool> exists
)
{
    CO_TRY(const auto project, visible(caller, id));
    const auto needed = !value ? delete_metadata : exists == false ? create_metadata : update_metadata;
    CO_CHECK(require(needs_.policy, caller, needed, object_of(*project)));
    if (value) CO_CHECK(check_project_metadata(name, *value));
    if (name.starts_with('.')) co_return fail(Errc::not_found, "the project has no metadata \"" + name + "\"");
    ProjectChange change;
    if (value) value = kept_metadata(*value);
    if (name == "public" || name == "shared") {
        // A column of its own, which is always there.
        const bool is_set = name == "public" || project->shared;
        if (exists == false && is_set) {
            co_return fail(Errc::conflict, "the project has metadata \"" + name + "\" already");
        }
        if (exists == true && !is_set) co_return fail(Errc::not_found, "the project has no metadata \"" + name + "\"");
        (name == "public" ? change.is_public : change.shared) = value == "true";
    } else {
        change.metadata.emplace(std::move(name), std::move(value));
        change.metadata_exists = exists;
    }
    CO_TRY(auto changed, co_await needs_.catalog.change(id, std::move(change), actor(caller)));
    CO_CHECK(co_await needs_.directory.catch_up());
    co_return changed;
}

Task<std::string> Projects::obstacle(Caller caller, std::int64_t id)
{
    CO_TRY(const auto project, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, delete_project, object_of(*project)));
    co_return co_await needs_.catalog.obstacle(id);
}

Task<> Projects::remove(Caller caller, std::int64_t id)
{
    CO_TRY(const auto project, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, delete_project, object_of(*project)));
    CO_CHECK(co_await needs_.catalog.remove(id, actor(caller)));
    co_return co_await needs_.directory.catch_up();
}

Task<Projects::Summary> Projects::summary(Caller caller, std::int64_t id)
{
    CO_TRY(const auto access, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, read_project, object_of(*access)));
    CO_TRY(auto project, co_await needs_.catalog.find(id));
    Summary summary{.project = std::move(project), .members = std::nullopt};
    summary.shows_quota = needs_.policy.may(caller, read_project_quota, object_of(*access));
    if (needs_.policy.may(caller, list_members, object_of(*access))) {
        CO_TRY(summary.members, co_await needs_.catalog.grants_by_role(id, needs_.clock.now()));
    }
    co_return summary;
}

Task<ListPage<Project>> Projects::list_quotas(Caller caller, ListQuery query)
{
    if (!needs_.policy.may(caller, list_all_quotas, the_platform)) {
        if (const auto tenants = needs_.policy.tenants_with(caller, read_tenant_quota)) {
            if (tenants->empty()) co_return fail(Errc::denied, "you lack the permission quota:list here");
            ListCondition condition{.field = "tenant_id", .kind = ListCondition::Kind::any_of, .values = {}};
            for (const auto id : *tenants) condition.values.push_back(std::to_string(id));
            query.conditions.push_back(std::move(condition));
        }
    }
    co_return co_await needs_.catalog.list(std::move(query), std::nullopt);
}

Task<Project> Projects::quota(Caller caller, std::int64_t id)
{
    CO_TRY(const auto project, visible(caller, id));
    CO_CHECK(require(needs_.policy, caller, read_project_quota, object_of(*project)));
    co_return co_await needs_.catalog.find(id);
}

Result<> Projects::may_set_quota(const Caller& caller, std::int64_t project_id) const
{
    TRY(const auto project, visible(caller, project_id));
    if (needs_.policy.may(caller, update_all_quotas, the_platform)) return {};
    const auto tenant = needs_.policy.tenant(project->tenant_id);
    if (tenant && needs_.policy.may(caller, update_tenant_quota, object_of(*tenant))) return {};
    return fail(Errc::denied, "you lack the permission quota:update here");
}

Task<Project> Projects::set_quota(Caller caller, std::int64_t id, ProjectQuota quota)
{
    CO_CHECK(may_set_quota(caller, id));
    CO_CHECK(check_limit(quota.bytes));
    CO_CHECK(check_limit(quota.artifacts));
    co_return co_await needs_.catalog.set_quota(id, quota, actor(caller));
}

std::int64_t Projects::role_of(const Caller& caller, std::int64_t id) const
{
    const auto held = needs_.policy.permissions(caller, {.kind = ObjectKind::project, .id = id, .name = {}});
    for (const auto role_id : roles_by_strength) {
        if (builtin_role(role_id)->permissions.is_subset_of(held)) return role_id;
    }
    return 0;
}

bool Projects::may_change(const Caller& caller, std::int64_t id) const
{
    return needs_.policy.may(caller, update_project, {.kind = ObjectKind::project, .id = id, .name = {}});
}

}  // namespace entrepot
