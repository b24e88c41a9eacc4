#include "registry/renames.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

namespace entrepot {
namespace {

const Permission update_project = need(ObjectKind::project, "project", "update");
const Permission delete_project = need(ObjectKind::project, "project", "delete");
const Permission read_repository = need(ObjectKind::project, "repository", "read");
const Permission delete_repository = need(ObjectKind::project, "repository", "delete");
const Permission push_repository = need(ObjectKind::project, "repository", "push");

}  // namespace

Result<> Renames::require_on(const Caller& caller, std::int64_t project_id, Permission permission) const
{
    return require(policy_, caller, permission, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<> Renames::rename_repository(Caller caller, RepositoryName from, RepositoryName into)
{
    CO_CHECK(require_in_repository(policy_, caller, delete_repository, from));
    CO_CHECK(require_in_repository(policy_, caller, push_repository, into));
    if (from == into) co_return fail(Errc::conflict, "the repository is called " + from.text() + " already");
    CO_CHECK(co_await catalog_.rename_repository(std::move(from), std::move(into), actor(caller)));
    co_return co_await catch_up_();
}

Task<> Renames::rename_project(Caller caller, std::int64_t id, ProjectName name)
{
    CO_CHECK(require_on(caller, id, update_project));
    CO_CHECK(require_on(caller, id, delete_project));
    CO_CHECK(co_await catalog_.rename_project(id, std::move(name), actor(caller)));
    co_return co_await catch_up_();
}

Task<ListPage<FormerName>> Renames::former_names(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, update_project));
    CO_TRY(auto page, co_await catalog_.former_names(project_id, std::move(query)));
    for (auto& former : page.items) {
        const auto name = RepositoryName::parse(former.leads_to);
        if (!name || name->project().size() == former.leads_to.size()) continue;
        if (!require_in_repository(policy_, caller, read_repository, *name)) former.leads_to.clear();
    }
    co_return page;
}

Task<> Renames::give_up(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, update_project));
    CO_CHECK(co_await catalog_.give_up(project_id, id, actor(caller)));
    co_return co_await catch_up_();
}

}  // namespace entrepot
