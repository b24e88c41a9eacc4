#include "drivers/sql/sql_projects.hpp"

#include "access/role.hpp"
#include "drivers/sql/access_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement select_projects{
    "SELECT id, name, tenant_id, is_public, shared, frozen, protected, bytes, quota_bytes, quota_artifacts, "
    "repository_count, artifact_count, owner_id, created_at, updated_at FROM projects ORDER BY name"
};

constexpr SqlStatement find_project{
    "SELECT id, name, tenant_id, is_public, shared, frozen, protected, bytes, quota_bytes, quota_artifacts, "
    "repository_count, artifact_count, owner_id, created_at, updated_at FROM projects WHERE name = $1"
};

constexpr SqlStatement insert_project{
    "INSERT INTO projects (name, is_public, bytes, owner_id, created_at, updated_at, tenant_id) "
    "SELECT $1, $2, 0, $3, $4, $4, t.id FROM tenants t WHERE t.id = $5 ON CONFLICT (name) DO NOTHING RETURNING id"
};

// With the engine's row lock the tenant can't go before the project has come.
constexpr SqlStatement find_tenant{"SELECT id FROM tenants WHERE id = $1", "FOR KEY SHARE"};

constexpr SqlStatement grant_owner{
    "INSERT INTO grants (subject_kind, subject_id, object_kind, object_id, role_id, origin, created_by, created_at) "
    "SELECT u.kind, u.id, 'project', $1, $2, 'owner', u.id, $4 FROM users u WHERE u.id = $3"
};

constexpr SqlStatement update_public{"UPDATE projects SET is_public = $2, updated_at = $3 WHERE name = $1 RETURNING id"
};

constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE name = $1", "FOR UPDATE"};

constexpr SqlStatement find_content{"SELECT 1 FROM repositories r WHERE r.project_id = $1 AND "
                                    "(EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM uploads u WHERE u.repository_id = r.id)) LIMIT 1"};

constexpr SqlStatement delete_repositories{"DELETE FROM repositories WHERE project_id = $1"};
constexpr SqlStatement delete_project{"DELETE FROM projects WHERE id = $1"};
constexpr SqlStatement delete_grants{
    "DELETE FROM grants WHERE object_kind IN ('project', 'repository') AND object_id = $1"
};

constexpr SqlStatement find_robots{"SELECT user_id FROM robots WHERE project_id = $1 ORDER BY user_id"};
constexpr SqlStatement delete_robots_grants{"DELETE FROM grants WHERE subject_kind = 'robot' AND subject_id IN (SELECT "
                                            "user_id FROM robots WHERE project_id = $1)"};
constexpr SqlStatement delete_robots{"DELETE FROM users WHERE id IN (SELECT user_id FROM robots WHERE project_id = $1)"
};

Project project_of(SqlRow& row)
{
    return Project{
        .id = row.integer(0),
        .name = row.take_text(1),
        .tenant_id = row.integer(2),
        .is_public = row.integer(3) != 0,
        .shared = row.integer(4) != 0,
        .frozen = row.integer(5) != 0,
        .is_protected = row.integer(6) != 0,
        .bytes = row.integer(7),
        .quota_bytes = row.integer(8),
        .quota_artifacts = row.integer(9),
        .repository_count = row.integer(10),
        .artifact_count = row.integer(11),
        .owner_id = row.integer(12),
        .created_at = row.integer(13),
        .updated_at = row.integer(14),
    };
}

std::unexpected<Error> no_such_project(const ProjectName& name)
{
    return fail(Errc::name_unknown, "project " + name.text() + " is not known to the registry");
}

Result<Project> read_project(SqlSession& session, const ProjectName& name)
{
    TRY(auto rows, session.run(find_project, {name.text()}));
    if (rows.empty()) return no_such_project(name);
    return project_of(rows.front());
}

Result<Project> add_project(SqlSession& session, const NewProject& project, const Actor& actor)
{
    const std::int64_t is_public = project.is_public ? 1 : 0;
    TRY(const auto tenants, session.run(find_tenant, {project.tenant_id}));
    if (tenants.empty()) return fail(Errc::not_found, "there is no such tenant");
    TRY(const auto rows,
        session.run(insert_project, {project.name.text(), is_public, actor.user_id, actor.at, project.tenant_id}));
    if (rows.empty()) return fail(Errc::conflict, "project " + project.name.text() + " exists already");
    const auto id = rows.front().integer(0);
    CHECK(session.run(grant_owner, {id, role::project_admin, actor.user_id, actor.at}));
    CHECK(note_access_change(session, AccessObject::project, id));
    return read_project(session, project.name);
}

// The project's robots go with it, and their grants elsewhere.
Result<> remove_robots(SqlSession& session, std::int64_t project_id)
{
    TRY(const auto rows, session.run(find_robots, {project_id}));
    if (rows.empty()) return {};
    std::vector<std::int64_t> ids;
    for (const auto& row : rows) ids.push_back(row.integer(0));
    CHECK(session.run(delete_robots_grants, {project_id}));
    CHECK(session.run(delete_robots, {project_id}));
    return note_access_changes(session, AccessObject::principal, ids);
}

Result<> remove_project(SqlSession& session, const ProjectName& name)
{
    TRY(const auto rows, session.run(lock_project, {name.text()}));
    if (rows.empty()) return no_such_project(name);
    const std::int64_t id = rows.front().integer(0);
    TRY(const auto content, session.run(find_content, {id}));
    if (!content.empty()) {
        return fail(
            Errc::conflict, "project " + name.text() + " still holds artifacts, or an upload is under way in it"
        );
    }
    CHECK(session.run(delete_grants, {id}));
    CHECK(session.run(delete_repositories, {id}));
    CHECK(session.run(delete_project, {id}));
    CHECK(remove_robots(session, id));
    return note_access_change(session, AccessObject::project, id);
}

}  // namespace

Task<std::vector<Project>> SqlProjects::all()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<Project>> {
        TRY(auto rows, session.run(select_projects));
        std::vector<Project> projects;
        projects.reserve(rows.size());
        for (SqlRow& row : rows) projects.push_back(project_of(row));
        return projects;
    };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::find(ProjectName name)
{
    const auto work = [name](SqlSession& session) { return read_project(session, name); };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::create(NewProject project, Actor actor)
{
    const auto work = [project, actor](SqlSession& session) { return add_project(session, project, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Project> SqlProjects::set_public(ProjectName name, bool is_public, Actor actor)
{
    const auto work = [name, is_public, actor](SqlSession& session) -> Result<Project> {
        const std::int64_t flag = is_public ? 1 : 0;
        TRY(const auto rows, session.run(update_public, {name.text(), flag, actor.at}));
        if (rows.empty()) return no_such_project(name);
        CHECK(note_access_change(session, AccessObject::project, rows.front().integer(0)));
        return read_project(session, name);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

// Only an empty project goes, and what emptied its repositories has invalidated the cache already.
Task<> SqlProjects::remove(ProjectName name, Actor)
{
    const auto work = [name](SqlSession& session) { return remove_project(session, name); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
