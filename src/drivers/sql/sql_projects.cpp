#include "drivers/sql/sql_projects.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/project_rows.hpp"
#include "drivers/sql/rename_rows.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/robot_rows.hpp"
#include "drivers/sql/source_text.hpp"
#include "drivers/sql/tenant_rows.hpp"
#include "drivers/sql/trash_rows.hpp"

#include <boost/json/array.hpp>

#include <memory>

namespace entrepot {

namespace {

constexpr SqlStatement insert_project{
    "INSERT INTO projects (name, is_public, bytes, owner_id, created_at, updated_at, tenant_id, shared, quota_bytes, "
    "quota_artifacts, registry_id, proxy_settings, sources) VALUES ($1, $2, 0, $3, $4, $4, $5, $6, $7, $8, $9, $10, "
    "$11) "
    "ON CONFLICT (name) DO NOTHING RETURNING id"
};

// The owner's own grant. Nobody's when the owner is no principal (the system itself).
constexpr SqlStatement grant_to_owner{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at) "
    "SELECT kind, id, 'project', $2, 1, 'owner', $1, $3 FROM users WHERE id = $1"
};

constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_protection{"SELECT protected FROM projects WHERE id = $1"};

constexpr SqlStatement update_project{
    "UPDATE projects SET is_public = COALESCE($2, is_public), shared = COALESCE($3, shared), "
    "frozen = COALESCE($4, frozen), protected = COALESCE($5, protected), updated_at = $6, "
    "proxy_settings = COALESCE($7, proxy_settings), sources = COALESCE($8, sources) WHERE id = $1"
};

constexpr SqlStatement update_quota{"UPDATE projects SET quota_bytes = COALESCE($2, quota_bytes), "
                                    "quota_artifacts = COALESCE($3, quota_artifacts), updated_at = $4 WHERE id = $1"};

constexpr SqlStatement hold_endpoint{"SELECT id FROM registries WHERE id = $1", "FOR KEY SHARE"};

constexpr SqlStatement find_tenant_of{"SELECT tenant_id FROM projects WHERE id = $1"};

constexpr SqlStatement find_metadata{"SELECT 1 FROM project_metadata WHERE project_id = $1 AND name = $2"};
constexpr SqlStatement put_metadata{"INSERT INTO project_metadata (project_id, name, value) VALUES ($1, $2, $3) "
                                    "ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value"};
constexpr SqlStatement delete_metadata{"DELETE FROM project_metadata WHERE project_id = $1 AND name = $2"};

constexpr SqlStatement find_content{"SELECT 1 FROM repositories r WHERE r.project_id = $1 AND "
                                    "(EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM uploads u WHERE u.repository_id = r.id)) LIMIT 1"};

// Manifests of the trash, in one transaction.
constexpr std::int64_t trash_at_once = 200;

constexpr SqlStatement delete_grants{
    "DELETE FROM grants WHERE object_kind IN ('project', 'repository') AND object_id = $1"
};
constexpr SqlStatement delete_labels{"DELETE FROM labels WHERE scope = 'p' AND project_id = $1"};
constexpr SqlStatement delete_webhooks{"DELETE FROM webhook_policies WHERE project_id = $1"};
constexpr SqlStatement find_robots{"SELECT user_id FROM robots WHERE project_id = $1"};
constexpr SqlStatement delete_deltas{"DELETE FROM project_deltas WHERE project_id = $1"};
constexpr SqlStatement delete_claims{"DELETE FROM quota_claims WHERE project_id = $1"};
constexpr SqlStatement delete_project{"DELETE FROM projects WHERE id = $1"};

constexpr SqlStatement count_grants{
    "SELECT role_id, COUNT(*) FROM grants WHERE object_kind = 'project' AND object_id = $1 AND "
    "(expires_at = 0 OR expires_at > $2) GROUP BY role_id"
};

std::unexpected<Error> no_such_project(std::int64_t id)
{
    return fail(Errc::name_unknown, "project " + std::to_string(id) + " is not known to the registry");
}

SqlParameter flag(const std::optional<bool>& value)
{
    if (!value) return std::monostate{};
    return std::int64_t{*value ? 1 : 0};
}

SqlParameter number(const std::optional<std::int64_t>& value)
{
    if (!value) return std::monostate{};
    return *value;
}

SqlParameter endpoint_of(const NewProject& project)
{
    if (project.registry_id == 0) return std::monostate{};
    return project.registry_id;
}

SqlParameter text(const std::optional<std::string>& value)
{
    if (!value) return std::monostate{};
    return std::string_view{*value};
}

Result<Project> create_project(SqlSession& session, const NewProject& project, const Actor& actor)
{
    CHECK(lock_tenant(session, project.tenant_id));
    if (project.registry_id != 0) {
        TRY(const auto held, session.run(hold_endpoint, {project.registry_id}));
        if (held.empty()) return fail(Errc::not_found, "there is no such registry endpoint");
    }
    TRY(const auto inserted,
        session.run(
            insert_project,
            {project.name.text(),
             std::int64_t{project.is_public},
             actor.user_id,
             actor.at,
             project.tenant_id,
             std::int64_t{project.shared},
             project.quota_bytes,
             project.quota_artifacts,
             endpoint_of(project),
             project.proxy_settings,
             sources_text(project.sources)}
        ));
    if (inserted.empty()) return fail(Errc::conflict, "project " + project.name.text() + " exists already");
    const auto id = inserted.front().integer(0);
    CHECK(check_project_name_free(session, project.name.text()));
    // Whoever creates a project need not learn of the others, which the answer to this names.
    if (const auto fits = check_tenant_allocation(session, project.tenant_id); !fits) {
        return fail(fits.error().code(), "the project's limits don't fit into what its tenant may use");
    }
    for (const auto& [name, value] : project.metadata) CHECK(session.run(put_metadata, {id, name, value}));
    CHECK(session.run(grant_to_owner, {actor.user_id, id, actor.at}));
    CHECK(note_access_change(session, AccessObject::project, id));
    CHECK(record_event(session, event_in_project(event_type::project_created, actor, id)));
    return find_project(session, id);
}

Result<> change_metadata(SqlSession& session, std::int64_t id, const ProjectChange& change)
{
    for (const auto& [name, value] : change.metadata) {
        if (change.metadata_exists) {
            TRY(const auto found, session.run(find_metadata, {id, name}));
            if (!found.empty() && !*change.metadata_exists) {
                return fail(Errc::conflict, "the project has metadata \"" + name + "\" already");
            }
            if (found.empty() && *change.metadata_exists) {
                return fail(Errc::not_found, "the project has no metadata \"" + name + "\"");
            }
        }
        if (value) {
            CHECK(session.run(put_metadata, {id, name, *value}));
        } else {
            CHECK(session.run(delete_metadata, {id, name}));
        }
    }
    return {};
}

// What was set, by the API's names; never a value, which may be anything.
boost::json::array names_of(const ProjectChange& change)
{
    boost::json::array names;
    if (change.is_public) names.emplace_back("public");
    if (change.shared) names.emplace_back("shared");
    if (change.frozen) names.emplace_back("frozen");
    if (change.is_protected) names.emplace_back("protected");
    if (change.proxy_settings) names.emplace_back("proxy_settings");
    if (change.sources) names.emplace_back("sources");
    for (const auto& [name, value] : change.metadata) names.emplace_back(name);
    return names;
}

Result<Project> change_project(SqlSession& session, std::int64_t id, const ProjectChange& change, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_project, {id}));
    if (locked.empty()) return no_such_project(id);
    CHECK(change_metadata(session, id, change));
    const auto sources = change.sources ? std::optional{sources_text(*change.sources)} : std::nullopt;
    CHECK(session.run(
        update_project,
        {id,
         flag(change.is_public),
         flag(change.shared),
         flag(change.frozen),
         flag(change.is_protected),
         actor.at,
         text(change.proxy_settings),
         text(sources)}
    ));
    if (change.is_public || change.shared || change.frozen || change.sources) {
        CHECK(note_access_change(session, AccessObject::project, id));
    }
    auto event = event_in_project(event_type::project_updated, actor, id);
    set_details(event, {{"changed", names_of(change)}});
    CHECK(record_event(session, event));
    return find_project(session, id);
}

// The tenant's row first, as create_project() does.
Result<Project> change_quota(SqlSession& session, std::int64_t id, const ProjectQuota& quota, const Actor& actor)
{
    TRY(const auto tenant, session.run(find_tenant_of, {id}));
    if (tenant.empty()) return no_such_project(id);
    const auto tenant_id = tenant.front().integer(0);
    CHECK(lock_tenant(session, tenant_id));
    CHECK(session.run(update_quota, {id, number(quota.bytes), number(quota.artifacts), actor.at}));
    CHECK(check_tenant_allocation(session, tenant_id));
    auto event = event_in_project(event_type::project_updated, actor, id);
    set_details(event, {{"changed", {"quota"}}});
    CHECK(record_event(session, event));
    return find_project(session, id);
}

Result<std::string> find_obstacle(SqlSession& session, std::int64_t id)
{
    TRY(const auto found, session.run(find_protection, {id}));
    if (found.empty()) return no_such_project(id);
    if (found.front().integer(0) != 0) return std::string{"the project is protected against deletion"};
    TRY(const auto content, session.run(find_content, {id}));
    if (!content.empty()) return std::string{"the project still holds repositories, or an upload is under way in it"};
    return std::string{};
}

// What was deleted in it goes first, in as many transactions as it takes; false: there is more of it.
Result<bool> remove_project(SqlSession& session, std::int64_t id, const Actor& actor)
{
    CHECK(lock_repositories(session, id));
    CHECK(session.run(lock_project, {id}));
    TRY(auto obstacle, find_obstacle(session, id));
    if (!obstacle.empty()) return fail(Errc::precondition_failed, std::move(obstacle));
    TRY(const auto emptied, empty_project_trash(session, id, trash_at_once, actor.at));
    if (!emptied.all) return false;
    CHECK(record_event(session, event_in_project(event_type::project_deleted, actor, id)));
    TRY(const auto robots, session.run(find_robots, {id}));
    CHECK(retire_robots(session, first_column(robots), actor.at));
    CHECK(forget_former_names_into(session, id));
    CHECK(remove_empty_repositories(session, id));
    for (const auto* statement :
         {&delete_grants, &delete_labels, &delete_webhooks, &delete_deltas, &delete_claims, &delete_project}) {
        CHECK(session.run(*statement, {id}));
    }
    CHECK(note_access_change(session, AccessObject::project, id));
    return true;
}

}  // namespace

Task<ListPage<Project>> SqlProjects::list(ListQuery query, std::optional<std::vector<std::int64_t>> visible)
{
    const auto work = [query = std::move(query), visible = std::move(visible)](SqlSession& session) {
        return list_projects(session, query, visible);
    };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::find(ProjectName name)
{
    const auto work = [name](SqlSession& session) { return find_project(session, name); };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return find_project(session, id); };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::create(NewProject project, Actor actor)
{
    const auto work = [project = std::move(project), actor](SqlSession& session) {
        return create_project(session, project, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Project> SqlProjects::change(std::int64_t id, ProjectChange change, Actor actor)
{
    const auto work = [id, change = std::move(change), actor](SqlSession& session) {
        return change_project(session, id, change, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Project> SqlProjects::set_quota(std::int64_t id, ProjectQuota quota, Actor actor)
{
    const auto work = [id, quota, actor](SqlSession& session) { return change_quota(session, id, quota, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::string> SqlProjects::obstacle(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return find_obstacle(session, id); };
    co_return co_await engine_.read(work);
}

// Only an empty project goes, and what emptied its repositories has invalidated the cache already.
Task<> SqlProjects::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_project(session, id, actor); };
    for (bool removed = false; !removed;) {
        CO_TRY(removed, co_await engine_.write(Durability::durable, work));
    }
    co_return Result<>{};
}

Task<std::map<std::int64_t, std::int64_t>> SqlProjects::grants_by_role(std::int64_t id, Micros now)
{
    const auto work = [id, now](SqlSession& session) -> Result<std::map<std::int64_t, std::int64_t>> {
        TRY(const auto rows, session.run(count_grants, {id, now}));
        std::map<std::int64_t, std::int64_t> counts;
        for (const auto& row : rows) counts.emplace(row.integer(0), row.integer(1));
        return counts;
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
