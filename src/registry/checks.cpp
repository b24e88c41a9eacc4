#include "registry/checks.hpp"

#include "registry/repositories.hpp"

namespace entrepot {
namespace {

const Permission read_artifact = need(ObjectKind::project, "artifact", "read");
const Permission create_check = need(ObjectKind::project, "check", "create");
const Permission delete_check = need(ObjectKind::project, "check", "delete");

}  // namespace

Task<ListPage<ArtifactCheck>> Checks::list(Caller caller, RepositoryName name, Reference reference, ListQuery query)
{
    CO_CHECK(require_in_repository(policy_, caller, read_artifact, name));
    co_return co_await catalog_.list(std::move(name), std::move(reference), std::move(query));
}

Task<ArtifactCheck> Checks::report(Caller caller, RepositoryName name, Reference reference, ArtifactCheck check)
{
    CO_CHECK(require_in_repository(policy_, caller, create_check, name));
    CO_CHECK(check_artifact_check(check));
    co_return co_await catalog_.report(std::move(name), std::move(reference), std::move(check), actor(caller));
}

Task<> Checks::remove(Caller caller, RepositoryName name, Reference reference, std::string check)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_check, name));
    co_return co_await catalog_.remove(std::move(name), std::move(reference), std::move(check), actor(caller));
}

}  // namespace entrepot
