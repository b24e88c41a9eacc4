#include "registry/repositories.hpp"

#include "access/require.hpp"

namespace entrepot {
namespace {

const Permission list_repositories = need(ObjectKind::project, "repository", "list");
const Permission read_repository = need(ObjectKind::project, "repository", "read");
const Permission update_repository = need(ObjectKind::project, "repository", "update");
const Permission delete_repository = need(ObjectKind::project, "repository", "delete");

}  // namespace

Result<> require_in_repository(
    const AccessPolicy& policy, const Caller& caller, Permission permission, const RepositoryName& name
)
{
    const auto project = policy.project(name.project());
    CHECK(require_project(policy, caller, project));
    return require(
        policy, caller, permission, {.kind = ObjectKind::repository, .id = project->id, .name = name.text()}
    );
}

Task<ListPage<RepositoryRecord>> Repositories::all(Caller caller, ListQuery query)
{
    auto projects = policy_.visible_projects(caller);
    if (projects) {
        std::erase_if(*projects, [&](std::int64_t id) {
            return !policy_.may(caller, list_repositories, {.kind = ObjectKind::project, .id = id, .name = {}});
        });
    }
    co_return co_await catalog_.of_projects(std::move(projects), std::move(query));
}

Task<ListPage<RepositoryRecord>> Repositories::of_project(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require(policy_, caller, list_repositories, {.kind = ObjectKind::project, .id = project_id, .name = {}}));
    co_return co_await catalog_.of_project(project_id, std::move(query));
}

Task<RepositoryRecord> Repositories::find(Caller caller, RepositoryName name)
{
    CO_CHECK(require_in_repository(policy_, caller, read_repository, name));
    co_return co_await catalog_.find(std::move(name));
}

Task<> Repositories::describe(Caller caller, RepositoryName name, std::string description)
{
    CO_CHECK(require_in_repository(policy_, caller, update_repository, name));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    co_return co_await catalog_.describe(std::move(name), std::move(description), actor);
}

Task<> Repositories::remove(Caller caller, RepositoryName name)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_repository, name));
    const Actor actor{.user_id = caller.identity->user_id, .at = clock_.now()};
    CO_TRY(const auto uploads, co_await catalog_.remove(std::move(name), actor));
    // The repository is gone whatever becomes of these bytes.
    for (const auto& upload : uploads) (void)co_await uploads_.discard(upload);
    // Of names that led to it.
    co_return co_await catch_up_();
}

}  // namespace entrepot
