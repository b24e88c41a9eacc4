#include "drivers/sql/sql_projects.hpp"

#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement select_projects{
    "SELECT id, name, is_public, bytes, owner_id, created_at, updated_at FROM projects ORDER BY name"
};

constexpr SqlStatement find_project{
    "SELECT id, name, is_public, bytes, owner_id, created_at, updated_at FROM projects WHERE name = $1"
};

constexpr SqlStatement insert_project{
    "INSERT INTO projects (name, is_public, bytes, owner_id, created_at, updated_at) VALUES ($1, $2, 0, $3, $4, $4) "
    "ON CONFLICT (name) DO NOTHING RETURNING id, name, is_public, bytes, owner_id, created_at, updated_at"
};

constexpr SqlStatement update_public{"UPDATE projects SET is_public = $2, updated_at = $3 WHERE name = $1 "
                                     "RETURNING id, name, is_public, bytes, owner_id, created_at, updated_at"};

constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE name = $1", "FOR UPDATE"};

constexpr SqlStatement find_content{"SELECT 1 FROM repositories r WHERE r.project_id = $1 AND "
                                    "(EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM repository_blobs l WHERE l.repository_id = r.id) OR "
                                    "EXISTS (SELECT 1 FROM uploads u WHERE u.repository_id = r.id)) LIMIT 1"};

constexpr SqlStatement delete_project{"DELETE FROM projects WHERE id = $1"};

Project project_of(SqlRow& row)
{
    return Project{
        .id = row.integer(0),
        .name = row.take_text(1),
        .is_public = row.integer(2) != 0,
        .bytes = row.integer(3),
        .owner_id = row.integer(4),
        .created_at = row.integer(5),
        .updated_at = row.integer(6),
    };
}

std::unexpected<Error> no_such_project(const ProjectName& name)
{
    return fail(Errc::name_unknown, "project " + name.text() + " is not known to the registry");
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
    CHECK(remove_empty_repositories(session, id));
    CHECK(session.run(delete_project, {id}));
    return {};
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
    const auto work = [name](SqlSession& session) -> Result<Project> {
        TRY(auto rows, session.run(find_project, {name.text()}));
        if (rows.empty()) return no_such_project(name);
        return project_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<Project> SqlProjects::create(ProjectName name, bool is_public, Actor actor)
{
    const auto work = [name, is_public, actor](SqlSession& session) -> Result<Project> {
        const std::int64_t flag = is_public ? 1 : 0;
        TRY(auto rows, session.run(insert_project, {name.text(), flag, actor.user_id, actor.at}));
        if (rows.empty()) return fail(Errc::conflict, "project " + name.text() + " exists already");
        return project_of(rows.front());
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Project> SqlProjects::set_public(ProjectName name, bool is_public, Actor actor)
{
    const auto work = [name, is_public, actor](SqlSession& session) -> Result<Project> {
        const std::int64_t flag = is_public ? 1 : 0;
        TRY(auto rows, session.run(update_public, {name.text(), flag, actor.at}));
        if (rows.empty()) return no_such_project(name);
        return project_of(rows.front());
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
