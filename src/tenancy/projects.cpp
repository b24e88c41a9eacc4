#include "tenancy/projects.hpp"

#include "access/require.hpp"

#include <algorithm>

namespace entrepot {
namespace {

const Permission read_project = need(ObjectKind::project, "project", "read");
const Permission update_project = need(ObjectKind::project, "project", "update");
const Permission delete_project = need(ObjectKind::project, "project", "delete");

}  // namespace

Result<> Projects::check(const ProjectName& name, const Caller& caller, Permission permission) const
{
    TRY(const auto project, require_project(policy_, caller, policy_.project(name.text())));
    return require(policy_, caller, permission, object_of(*project));
}

Task<std::vector<Project>> Projects::visible_to(Caller caller)
{
    CO_TRY(auto projects, co_await catalog_.all());
    if (const auto visible = policy_.visible_projects(caller)) {
        std::erase_if(projects, [&](const Project& project) {
            return !std::ranges::binary_search(*visible, project.id);
        });
    }
    co_return projects;
}

Task<Project> Projects::find(ProjectName name, Caller caller)
{
    CO_CHECK(check(name, caller, read_project));
    co_return co_await catalog_.find(std::move(name));
}

Task<Project> Projects::create(ProjectName name, bool is_public, Caller caller)
{
    if (!policy_.may_create_project(caller)) co_return fail(Errc::denied, "creating projects is not allowed to you");
    NewProject wanted{.name = std::move(name), .is_public = is_public};
    CO_TRY(auto project, co_await catalog_.create(std::move(wanted), actor(caller)));
    CO_CHECK(co_await directory_.catch_up());
    co_return project;
}

Task<Project> Projects::set_public(ProjectName name, bool is_public, Caller caller)
{
    CO_CHECK(check(name, caller, update_project));
    CO_TRY(auto project, co_await catalog_.set_public(std::move(name), is_public, actor(caller)));
    CO_CHECK(co_await directory_.catch_up());
    co_return project;
}

Task<> Projects::remove(ProjectName name, Caller caller)
{
    CO_CHECK(check(name, caller, delete_project));
    CO_CHECK(co_await catalog_.remove(name, actor(caller)));
    co_return co_await directory_.catch_up();
}

}  // namespace entrepot
