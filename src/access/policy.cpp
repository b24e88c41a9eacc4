#include "access/policy.hpp"

#include "access/decision.hpp"
#include "access/require.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t default_tenant = 1;  // where projects go that a push creates
const Permission create_anywhere = need(ObjectKind::platform, "project", "create");
const Permission create_in_tenant = need(ObjectKind::tenant, "project", "create");
const Permission pull_repository = need(ObjectKind::project, "repository", "pull");
const Permission push_repository = need(ObjectKind::project, "repository", "push");
const Permission delete_artifact = need(ObjectKind::project, "artifact", "delete");

std::string_view project_of(std::string_view repository) noexcept
{
    return repository.substr(0, repository.find('/'));
}

bool places_itself(const ProjectAccess& project) noexcept
{
    return std::ranges::find(project.sources, 0, &ProjectSource::project_id) != project.sources.end();
}

template <class Allows>
ActionSet limited(const Caller& caller, ActionSet actions, Allows allows)
{
    if (!caller.limit) return actions;
    const auto keep = [&](Action action, Permission permission) {
        if (!allows(permission)) actions &= static_cast<ActionSet>(~bit(action));
    };
    keep(Action::pull, pull_repository);
    keep(Action::push, push_repository);
    keep(Action::remove, delete_artifact);
    return actions;
}

bool creates_projects(
    const AccessTables& tables, const Asker& asker, const Caller& caller, ProjectCreation creation, const Clock& clock
)
{
    if (asker.anonymous || !asker.stands || creation == ProjectCreation::nobody) return false;
    const ObjectRef tenant{.kind = ObjectKind::tenant, .id = default_tenant, .name = {}};
    const Decision in_tenant{tables, asker, tenant, clock};
    const bool limit_allows = !caller.limit || caller.limit->allows(create_in_tenant, tenant, default_tenant) ||
                              caller.limit->allows(create_anywhere, the_platform, 0);
    if (!in_tenant.exists() || !limit_allows) return false;
    if (in_tenant.holds(create_in_tenant)) return true;
    if (in_tenant.frozen()) return false;
    if (creation == ProjectCreation::everyone) return true;
    return Decision{tables, asker, the_platform, clock}.holds(create_anywhere);
}

ActionSet allowed_actions(
    const AccessTables& tables,
    const Caller& caller,
    std::string_view repository,
    ActionSet wanted,
    ProjectCreation creation,
    const Clock& clock
)
{
    const auto asker = asker_of(tables, caller, clock);
    if (!asker.stands) return 0;
    const auto* project = tables.project(project_of(repository));
    if (project == nullptr) {
        // Nobody creates a project by a push to a name that another one has left.
        if (tables.formerly(project_of(repository)) != nullptr) return 0;
        if (!creates_projects(tables, asker, caller, creation, clock)) return 0;
        // Its creator will be its admin.
        const ObjectRef to_be{.kind = ObjectKind::repository, .id = 0, .name = repository};
        return limited(caller, all_actions, [&](Permission permission) {
            return caller.limit->allows(permission, to_be, default_tenant);
        });
    }
    const ObjectRef object{.kind = ObjectKind::repository, .id = project->id, .name = repository};
    const Decision decision{tables, asker, object, clock};
    return limited(caller, decision.actions(wanted), [&](Permission permission) {
        return limit_leaves(caller, decision, permission, object);
    });
}

}  // namespace

void AccessPolicy::apply(AccessChanges changes)
{
    if (!changes.complete) {
        const std::unique_lock lock{mutex_};
        tables_.apply(changes);
        return;
    }
    // Made and unmade outside the lock.
    AccessTables fresh;
    fresh.apply(changes);
    const std::unique_lock lock{mutex_};
    std::swap(tables_, fresh);
}

std::int64_t AccessPolicy::version() const
{
    const std::shared_lock lock{mutex_};
    return tables_.version();
}

std::shared_ptr<const ProjectAccess> AccessPolicy::project(std::string_view name) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_project(name);
}

std::shared_ptr<const ProjectAccess> AccessPolicy::project(std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_project(id);
}

std::shared_ptr<const TenantAccess> AccessPolicy::tenant(std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_tenant(id);
}

std::shared_ptr<const TenantAccess> AccessPolicy::tenant(std::string_view name) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_tenant(name);
}

std::shared_ptr<const PrincipalAccess> AccessPolicy::principal(std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_principal(id);
}

std::shared_ptr<const Role> AccessPolicy::custom_role(std::int64_t id) const
{
    const std::shared_lock lock{mutex_};
    return tables_.shared_role(id);
}

std::vector<AccessPolicy::Source> AccessPolicy::sources(std::string_view repository) const
{
    std::vector<Source> found;
    const std::shared_lock lock{mutex_};
    const auto* project = tables_.project(project_of(repository));
    if (project == nullptr || project->sources.empty()) return found;
    const bool caches = project->registry_id != 0;
    if (!places_itself(*project)) {
        found.push_back({.repository = std::string{repository}, .own = true, .proxy = caches});
    }
    const auto path = repository.substr(std::min(project->name.size() + 1, repository.size()));
    for (const auto& source : project->sources) {
        if (source.project_id == 0) {
            found.push_back(
                {.repository = std::string{repository}, .optional = source.optional, .own = true, .proxy = caches}
            );
            continue;
        }
        const auto* there = tables_.project(source.project_id);
        if (there == nullptr || !source.covers(path)) continue;
        auto path_now = path;
        if (const auto moved = there->moved.find(path); moved != there->moved.end()) {
            path_now = moved->second.path;
            there = tables_.project(moved->second.project_id);
            if (there == nullptr) continue;
        }
        found.push_back(
            {.repository = there->name + "/" + std::string{path_now},
             .optional = source.optional,
             .proxy = there->registry_id != 0}
        );
    }
    return found;
}

AccessPolicy::SourceOrder AccessPolicy::source_order(std::string_view repository) const
{
    const std::shared_lock lock{mutex_};
    const auto* project = tables_.project(project_of(repository));
    if (project == nullptr || project->sources.empty()) return SourceOrder::alone;
    return places_itself(*project) ? SourceOrder::others_first : SourceOrder::itself_first;
}

std::optional<std::string> AccessPolicy::renamed(std::string_view name) const
{
    const std::shared_lock lock{mutex_};
    const auto slash = name.find('/');
    const auto* project = tables_.project(project_of(name));
    const bool is_former = project == nullptr;
    if (is_former) project = tables_.formerly(project_of(name));
    if (project == nullptr) return std::nullopt;
    if (slash == std::string_view::npos) return is_former ? std::optional{project->name} : std::nullopt;
    const auto path = name.substr(slash + 1);
    if (!project->moved.empty()) {
        if (const auto found = project->moved.find(path); found != project->moved.end()) {
            const auto* now = tables_.project(found->second.project_id);
            if (now == nullptr) return std::nullopt;
            return now->name + "/" + found->second.path;
        }
    }
    if (!is_former) return std::nullopt;
    return project->name + "/" + std::string{path};
}

bool AccessPolicy::is_current(const Caller& caller) const
{
    const std::shared_lock lock{mutex_};
    return asker_of(tables_, caller, clock_).stands;
}

bool AccessPolicy::may(const Caller& caller, Permission permission, const ObjectRef& object) const
{
    if (!permissions_within(object.kind).has(permission)) return false;
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const Decision decision{tables_, asker, object, clock_};
    return limit_leaves(caller, decision, permission, object) && decision.holds(permission);
}

bool AccessPolicy::may_once_thawed(const Caller& caller, Permission permission, const ObjectRef& object) const
{
    if (!permissions_within(object.kind).has(permission)) return false;
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const Decision decision{tables_, asker, object, clock_};
    return limit_leaves(caller, decision, permission, object) && decision.holds_once_thawed(permission);
}

PermissionSet AccessPolicy::permissions(const Caller& caller, const ObjectRef& object) const
{
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const Decision decision{tables_, asker, object, clock_};
    return left_by_limit(caller, decision, decision.permissions(), object);
}

PermissionSet AccessPolicy::granted(const Caller& caller, const ObjectRef& object) const
{
    const std::shared_lock lock{mutex_};
    const auto asker = asker_of(tables_, caller, clock_);
    const Decision decision{tables_, asker, object, clock_};
    auto permissions = decision.granted();
    if (caller.limit) permissions &= caller.limit->permissions_on(object, decision.tenant_id());
    return permissions;
}

ActionSet AccessPolicy::allowed(const Caller& caller, std::string_view repository) const
{
    const std::shared_lock lock{mutex_};
    return allowed_actions(tables_, caller, repository, all_actions, creation_, clock_);
}

bool AccessPolicy::may(const Caller& caller, std::string_view repository, Action action) const
{
    if (caller.scopes && (caller.scopes->actions_on(repository) & bit(action)) == 0) return false;
    const std::shared_lock lock{mutex_};
    return (allowed_actions(tables_, caller, repository, bit(action), creation_, clock_) & bit(action)) != 0;
}

bool AccessPolicy::may_create_project(const Caller& caller) const
{
    const std::shared_lock lock{mutex_};
    return creates_projects(tables_, asker_of(tables_, caller, clock_), caller, creation_, clock_);
}

}  // namespace entrepot
