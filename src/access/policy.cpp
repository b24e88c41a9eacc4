#include "access/policy.hpp"

namespace entrepot {
namespace {

std::string_view project_of(std::string_view repository) noexcept
{
    return repository.substr(0, repository.find('/'));
}

}  // namespace

void AccessPolicy::put(std::string project, ProjectAccess access)
{
    const std::unique_lock lock{mutex_};
    projects_.insert_or_assign(std::move(project), access);
}

void AccessPolicy::erase(std::string_view project)
{
    const std::unique_lock lock{mutex_};
    if (const auto found = projects_.find(project); found != projects_.end()) projects_.erase(found);
}

void AccessPolicy::replace(const std::function<void(const Put&)>& fill)
{
    decltype(projects_) fresh;
    fill([&](std::string project, ProjectAccess access) { fresh.insert_or_assign(std::move(project), access); });
    const std::unique_lock lock{mutex_};
    projects_.swap(fresh);
}

std::optional<ProjectAccess> AccessPolicy::project(std::string_view name) const
{
    const std::shared_lock lock{mutex_};
    const auto found = projects_.find(name);
    if (found == projects_.end()) return std::nullopt;
    return found->second;
}

ActionSet AccessPolicy::allowed(const Identity& identity, std::string_view repository) const
{
    if (identity.is_admin) return all_actions;
    const auto access = project(project_of(repository));
    if (!access) return may_create_project(identity) ? all_actions : ActionSet{0};
    if (!identity.anonymous() && access->owner_id == identity.user_id) return all_actions;
    return access->is_public ? bit(Action::pull) : ActionSet{0};
}

bool AccessPolicy::may_create_project(const Identity& identity) const noexcept
{
    switch (creation_) {
        case ProjectCreation::nobody: return false;
        case ProjectCreation::admins: return identity.is_admin;
        case ProjectCreation::everyone: return !identity.anonymous();
    }
    return false;
}

bool AccessPolicy::may(const Caller& caller, std::string_view repository, Action action) const
{
    if (caller.scopes && (caller.scopes->actions_on(repository) & bit(action)) == 0) return false;
    return (allowed(*caller.identity, repository) & bit(action)) != 0;
}

}  // namespace entrepot
