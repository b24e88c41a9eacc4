#include "registry/project_gate.hpp"

namespace entrepot {

Task<> ProjectGate::open(RepositoryName repository, Caller caller, Actor actor)
{
    if (policy_.project(repository.project())) co_return Result<>{};
    // Another instance may have created it just now.
    CO_CHECK(co_await catch_up_());
    if (policy_.project(repository.project())) co_return Result<>{};

    auto name = ProjectName::of(repository);
    if (!policy_.may_create_project(caller)) {
        co_return fail(Errc::name_unknown, "the project does not exist: " + name.text());
    }
    const auto created = co_await projects_.create(NewProject{.name = std::move(name)}, actor);
    if (!created && created.error().code() != Errc::conflict) co_return std::unexpected{created.error()};
    co_return co_await catch_up_();
}

}  // namespace entrepot
