#include "registry/project_gate.hpp"

namespace entrepot {

Task<> ProjectGate::open(RepositoryName repository, Identity identity, Actor actor)
{
    if (policy_.project(repository.project())) co_return Result<>{};
    auto name = ProjectName::of(repository);
    auto project = co_await projects_.find(name);
    if (!project && project.error().code() == Errc::name_unknown) {
        if (!policy_.may_create_project(identity)) {
            co_return fail(Errc::name_unknown, "the project does not exist: " + name.text());
        }
        project = co_await projects_.create(name, false, actor);
        const bool created_by_another = !project && project.error().code() == Errc::conflict;
        if (created_by_another) project = co_await projects_.find(name);
    }
    if (!project) co_return std::unexpected{project.error()};
    policy_.put(project->name, {.id = project->id, .is_public = project->is_public, .owner_id = project->owner_id});
    co_return Result<>{};
}

}  // namespace entrepot
