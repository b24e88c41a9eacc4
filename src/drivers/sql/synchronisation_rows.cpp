#include "drivers/sql/synchronisation_rows.hpp"

#include <algorithm>

namespace entrepot {
namespace {

#define PROJECT_COLUMNS                                                                                     \
    "SELECT p.id, p.name, p.site_role, p.home_epoch, p.home_address, p.tenant_id, "                         \
    "COALESCE(s.required, 1), COALESCE(s.degrades, 0), COALESCE(s.patience, 0), COALESCE(s.creator_id, 0) " \
    "FROM projects p LEFT JOIN synchronisations s ON s.project_id = p.id "
constexpr SqlStatement find_project{PROJECT_COLUMNS "WHERE p.id = $1"};
constexpr SqlStatement all_projects{PROJECT_COLUMNS "WHERE p.site_role <> '' ORDER BY p.id"};
#undef PROJECT_COLUMNS

constexpr SqlStatement select_sites{
    "SELECT s.registry_id, r.name, s.project_there, s.followed_epoch, s.took_part FROM synchronised_sites s "
    "JOIN registries r ON r.id = s.registry_id WHERE s.project_id = $1 ORDER BY s.registry_id"
};
constexpr SqlStatement count_lacking{
    "SELECT registry_id, COUNT(*), MIN(since), MAX(last_error) FROM synchronised_pending WHERE project_id = $1 "
    "GROUP BY registry_id ORDER BY registry_id"
};

Synchronisation synchronisation_of(SqlRow& row)
{
    return {
        .project_id = row.integer(0),
        .project = row.take_text(1),
        .role = site_role_named(row.text(2)),
        .epoch = row.integer(3),
        .home = row.take_text(4),
        .required = row.integer(6),
        .degrades = row.integer(7) != 0,
        .patience = row.integer(8),
        .creator_id = row.integer(9),
        .tenant_id = row.integer(5),
        .sites = {},
    };
}

Result<> read_lacking(SqlSession& session, Synchronisation& one)
{
    if (one.sites.empty()) return {};
    TRY(auto rows, session.run(count_lacking, {one.project_id}));
    for (auto& row : rows) {
        const auto site = std::ranges::find(one.sites, row.integer(0), &SynchronousSite::registry_id);
        if (site == one.sites.end()) continue;
        site->lacking = row.integer(1);
        site->oldest = row.integer(2);
        site->last_error = row.take_text(3);
    }
    return {};
}

}  // namespace

std::unexpected<Error> no_project_of_sites()
{
    return fail(Errc::name_unknown, "the project is not known to the registry");
}

Result<std::vector<SynchronousSite>> sites_of(SqlSession& session, std::int64_t project_id)
{
    TRY(auto rows, session.run(select_sites, {project_id}));
    std::vector<SynchronousSite> sites;
    for (auto& row : rows) {
        sites.push_back({
            .registry_id = row.integer(0),
            .registry = row.take_text(1),
            .project = row.take_text(2),
            .followed_epoch = row.integer(3),
            .took_part = row.integer(4) != 0,
        });
    }
    return sites;
}

Result<Synchronisation> find_members(SqlSession& session, std::int64_t project_id)
{
    TRY(auto rows, session.run(find_project, {project_id}));
    if (rows.empty()) return no_project_of_sites();
    auto found = synchronisation_of(rows.front());
    if (found.role == SiteRole::none) return fail(Errc::not_found, "the project is not synchronous");
    if (found.role == SiteRole::home) {
        TRY(found.sites, sites_of(session, project_id));
    }
    return found;
}

Result<Synchronisation> find_synchronisation(SqlSession& session, std::int64_t project_id)
{
    TRY(auto found, find_members(session, project_id));
    CHECK(read_lacking(session, found));
    return found;
}

Result<std::vector<Synchronisation>> all_synchronisations(SqlSession& session)
{
    TRY(auto rows, session.run(all_projects));
    std::vector<Synchronisation> found;
    for (auto& row : rows) {
        auto& one = found.emplace_back(synchronisation_of(row));
        if (one.role != SiteRole::home) continue;
        TRY(one.sites, sites_of(session, one.project_id));
        CHECK(read_lacking(session, one));
    }
    return found;
}

}  // namespace entrepot
