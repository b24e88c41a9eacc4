#include "tenancy/projects.hpp"

namespace entrepot {

void Projects::learn(const Project& project)
{
    policy_.put(project.name, {.id = project.id, .is_public = project.is_public, .owner_id = project.owner_id});
}

bool Projects::manages(const Identity& identity, const Project& project) const
{
    return identity.is_admin || (!identity.anonymous() && identity.user_id == project.owner_id);
}

bool Projects::sees(const Identity& identity, const Project& project) const
{
    return project.is_public || manages(identity, project);
}

Task<> Projects::refresh()
{
    CO_TRY(const auto projects, co_await catalog_.all());
    policy_.replace([&](const AccessPolicy::Put& put) {
        for (const auto& project : projects) {
            put(project.name, {.id = project.id, .is_public = project.is_public, .owner_id = project.owner_id});
        }
    });
    co_return Result<>{};
}

Task<std::vector<Project>> Projects::visible_to(Identity identity)
{
    CO_TRY(auto projects, co_await catalog_.all());
    std::erase_if(projects, [&](const Project& project) { return !sees(identity, project); });
    co_return projects;
}

Task<Project> Projects::find(ProjectName name, Identity identity)
{
    auto project = co_await catalog_.find(name);
    const bool missing = !project && project.error().code() == Errc::name_unknown;
    const bool hidden = project && !sees(identity, *project);
    if (missing || hidden) co_return fail(Errc::name_unknown, "there is no project " + name.text());
    co_return project;
}

Task<Project> Projects::managed(ProjectName name, Identity identity)
{
    CO_TRY(auto project, co_await find(name, identity));
    if (!manages(identity, project)) co_return fail(Errc::denied, "only its owner or an admin may change the project");
    co_return project;
}

Task<Project> Projects::create(ProjectName name, bool is_public, Identity identity)
{
    if (!policy_.may_create_project(identity)) co_return fail(Errc::denied, "creating projects is not allowed to you");
    CO_TRY(auto project, co_await catalog_.create(std::move(name), is_public, actor(identity)));
    learn(project);
    co_return project;
}

Task<Project> Projects::set_public(ProjectName name, bool is_public, Identity identity)
{
    CO_CHECK(co_await managed(name, identity));
    CO_TRY(auto project, co_await catalog_.set_public(std::move(name), is_public, actor(identity)));
    learn(project);
    co_return project;
}

Task<> Projects::remove(ProjectName name, Identity identity)
{
    CO_CHECK(co_await managed(name, identity));
    CO_CHECK(co_await catalog_.remove(name, actor(identity)));
    policy_.erase(name.text());
    co_return Result<>{};
}

}  // namespace entrepot
