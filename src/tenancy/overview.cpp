#include "tenancy/overview.hpp"

#include "access/permission.hpp"

namespace entrepot {
namespace {

const Permission read_project = need(ObjectKind::project, "project", "read");
const Permission list_repositories = need(ObjectKind::project, "repository", "list");

}  // namespace

Task<Overview::Totals> Overview::totals(Caller caller)
{
    auto visible = policy_.projects_with(caller, read_project);
    const bool everything = !visible;
    CO_TRY(auto counts, co_await catalog_.totals(std::move(visible)));
    co_return Totals{.counts = counts, .everything = everything};
}

Task<Overview::Found> Overview::search(Caller caller, std::string part)
{
    ListQuery query{.conditions = {{"name", ListCondition::Kind::fuzzy, {part}}}, .order = {}, .limit = most_found};
    Found found;
    CO_TRY(auto projects, co_await projects_.list(std::move(query), policy_.projects_with(caller, read_project)));
    found.projects = std::move(projects.items);
    CO_TRY(
        found.repositories,
        co_await catalog_.search(std::move(part), policy_.projects_with(caller, list_repositories), most_found)
    );
    co_return found;
}

}  // namespace entrepot
