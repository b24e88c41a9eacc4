#include "drivers/sql/rename_rows.hpp"

#include "drivers/sql/access_rows.hpp"
#include "drivers/sql/artifact_labels.hpp"
#include "drivers/sql/artifact_rows.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/grant_rows.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/repository_rows.hpp"
#include "drivers/sql/site_guard.hpp"
#include "drivers/sql/tag_guard.hpp"

#include <algorithm>

namespace entrepot {

namespace {

constexpr SqlStatement find_former_project{
    "SELECT id FROM former_names WHERE name = $1 AND repository_id IS NULL AND project_id <> $2"
};
constexpr SqlStatement find_former_path{
    "SELECT repository_id FROM former_names WHERE project_id = $1 AND name = $2 AND repository_id IS NOT NULL"
};
constexpr SqlStatement select_pointing_at{
    "SELECT DISTINCT project_id FROM former_names WHERE repository_id = $1 ORDER BY project_id"
};
constexpr SqlStatement select_pointing_into{
    "SELECT DISTINCT n.project_id FROM former_names n JOIN repositories r ON r.id = n.repository_id "
    "WHERE r.project_id = $1 AND n.project_id <> $1 ORDER BY n.project_id"
};
constexpr SqlStatement delete_pointing_at{"DELETE FROM former_names WHERE repository_id = $1"};
constexpr SqlStatement delete_pointing_into{
    "DELETE FROM former_names WHERE repository_id IN (SELECT id FROM repositories WHERE project_id = $1)"
};
constexpr SqlStatement take_back_path{
    "DELETE FROM former_names WHERE project_id = $1 AND name = $2 AND repository_id = $3"
};
constexpr SqlStatement take_back_name{
    "DELETE FROM former_names WHERE project_id = $1 AND name = $2 AND repository_id IS NULL"
};
constexpr SqlStatement keep_path{
    "INSERT INTO former_names (name, project_id, repository_id, renamed_at, renamed_by) VALUES ($1, $2, $3, $4, $5)"
};
constexpr SqlStatement keep_name{
    "INSERT INTO former_names (name, project_id, repository_id, renamed_at, renamed_by) VALUES ($1, $2, NULL, $3, $4)"
};

constexpr SqlStatement lock_project_by_name{"SELECT id FROM projects WHERE name = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement lock_project_by_id{"SELECT name FROM projects WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_project_name{"SELECT id FROM projects WHERE name = $1"};
constexpr SqlStatement update_repository{
    "UPDATE repositories SET name = $2, project_id = $3, updated_at = $4, "
    "site_role = (SELECT p.site_role FROM projects p WHERE p.id = $3), "
    "home_epoch = (SELECT p.home_epoch FROM projects p WHERE p.id = $3) WHERE id = $1"
};
constexpr SqlStatement forget_use{"DELETE FROM images_in_use WHERE project_id = $1 AND repository = $2"};
constexpr SqlStatement move_use{
    "UPDATE images_in_use SET project_id = $3, repository = $4 WHERE project_id = $1 AND repository = $2"
};

// What was deleted from it comes back to it; not into another project, which isn't charged for it.
constexpr SqlStatement rename_trash{"UPDATE trash SET repository = $3 WHERE project_id = $1 AND repository = $2"};
constexpr SqlStatement rename_trashed_manifests{
    "UPDATE trash_manifests SET repository = $3 WHERE repository = $2 AND trash_id IN "
    "(SELECT id FROM trash WHERE project_id = $1)"
};

// A repository holds a blob once, so of each the project has one link less, or one more.
constexpr SqlStatement uncount_links{"UPDATE project_blobs SET links = links - 1 WHERE project_id = $1 AND blob_id IN "
                                     "(SELECT blob_id FROM repository_blobs WHERE repository_id = $2)"};
constexpr SqlStatement count_links{
    "INSERT INTO project_blobs (project_id, blob_id, links) SELECT $1, blob_id, 1 FROM repository_blobs "
    "WHERE repository_id = $2 ORDER BY blob_id "
    "ON CONFLICT (project_id, blob_id) DO UPDATE SET links = project_blobs.links + 1"
};
constexpr SqlStatement sum_of_links{
    "SELECT CAST(COALESCE(SUM(b.size), 0) AS BIGINT) FROM repository_blobs l "
    "JOIN project_blobs x ON x.blob_id = l.blob_id AND x.project_id = $1 JOIN blobs b ON b.id = l.blob_id "
    "WHERE l.repository_id = $2 AND x.links = $3"
};
constexpr SqlStatement drop_counts{"DELETE FROM project_blobs WHERE project_id = $1 AND links = 0 AND blob_id IN "
                                   "(SELECT blob_id FROM repository_blobs WHERE repository_id = $2)"};
constexpr SqlStatement sum_of_manifests{
    "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM manifests WHERE repository_id = $1"
};
constexpr SqlStatement listed_by_chunk{
    "SELECT manifest_id / 4096, COUNT(*) FROM artifacts WHERE repository_id = $1 AND listed = 1 GROUP BY 1 ORDER BY 1"
};
static_assert(ids_in_chunk == 4096);
constexpr SqlStatement move_artifacts{"UPDATE artifacts SET project_id = $2 WHERE manifest_id IN "
                                      "(SELECT id FROM manifests WHERE repository_id = $1)"};
constexpr SqlStatement select_labelled{
    "SELECT DISTINCT x.manifest_id FROM artifacts a JOIN artifact_labels x ON x.manifest_id = a.manifest_id "
    "JOIN labels l ON l.id = x.label_id WHERE a.repository_id = $1 AND l.scope = 'p' ORDER BY x.manifest_id"
};
constexpr SqlStatement drop_labels{
    "DELETE FROM artifact_labels WHERE manifest_id = $1 AND label_id IN (SELECT id FROM labels WHERE scope = 'p')"
};

constexpr SqlStatement select_names{"SELECT name FROM repositories WHERE project_id = $1 ORDER BY id"};
constexpr SqlStatement update_project{"UPDATE projects SET name = $2, updated_at = $3 WHERE id = $1"};
constexpr SqlStatement update_names{
    "UPDATE repositories SET name = CAST($2 AS TEXT) || substr(name, CAST($3 AS INTEGER)) WHERE project_id = $1"
};

// Below its project; empty of a repository that is called as its project is.
std::string path_of(const RepositoryName& name)
{
    const auto& text = name.text();
    return text.substr(std::min(text.size(), name.project().size() + 1));
}

Result<> note_projects(SqlSession& session, Result<SqlRows> rows)
{
    if (!rows) return std::unexpected{std::move(rows).error()};
    return note_access_changes(session, AccessObject::project, first_column(*rows));
}

struct Charged {
    std::int64_t bytes = 0;
    ArtifactsByChunk artifacts;
    ArtifactsByChunk less() const
    {
        ArtifactsByChunk negative;
        for (const auto& [chunk, count] : artifacts) negative[chunk] = -count;
        return negative;
    }
};

Result<std::int64_t> number(SqlSession& session, const SqlStatement& statement, SqlParameters parameters)
{
    TRY(const auto rows, session.run(statement, parameters));
    return rows.front().integer(0);
}

// Labels of a project mean nothing in another one.
Result<> leave_labels(SqlSession& session, std::int64_t repository_id)
{
    TRY(const auto labelled, session.run(select_labelled, {repository_id}));
    for (const SqlRow& row : labelled) {
        CHECK(session.run(drop_labels, {row.integer(0)}));
        CHECK(refresh_artifact_labels(session, row.integer(0)));
    }
    return {};
}

// The row says the new project already. What frees comes first: a limit of both projects' tenant still holds then.
Result<> move_charges(SqlSession& session, const RepositoryRow& before, const RepositoryRow& after, const Actor& actor)
{
    CHECK(session.run(uncount_links, {before.project_id, before.id}));
    TRY(const auto freed, number(session, sum_of_links, {before.project_id, before.id, std::int64_t{0}}));
    CHECK(session.run(drop_counts, {before.project_id, before.id}));
    CHECK(session.run(count_links, {after.project_id, after.id}));
    TRY(const auto added, number(session, sum_of_links, {after.project_id, after.id, std::int64_t{1}}));
    TRY(const auto manifests, number(session, sum_of_manifests, {after.id}));
    TRY(const auto listed, session.run(listed_by_chunk, {after.id}));
    Charged charged;
    for (const SqlRow& row : listed) charged.artifacts[row.integer(0)] = row.integer(1);
    CHECK(session.run(move_artifacts, {after.id, after.project_id}));
    CHECK(leave_labels(session, after.id));
    CHECK(count_repository(session, before, -1));
    CHECK(count_repository(session, after, 1));
    CHECK(charge(session, before, -freed - manifests, charged.less(), actor.at));
    return charge(session, after, added + manifests, charged.artifacts, actor.at);
}

Result<> record_move(
    SqlSession& session,
    const RepositoryRow& before,
    const RepositoryRow& after,
    const RepositoryName& from,
    const RepositoryName& into,
    const Actor& actor
)
{
    const auto record = [&](std::int64_t project_id, const RepositoryName& name) {
        auto event = event_in_project(event_type::repository_renamed, actor, project_id);
        event.repository = name.text();
        set_details(event, {{"from", from.text()}, {"to", into.text()}});
        return record_event(session, event);
    };
    // Whoever follows one of two projects hears of it.
    if (before.project_id != after.project_id) CHECK(record(before.project_id, from));
    return record(after.project_id, into);
}

}  // namespace

Result<> check_project_name_free(SqlSession& session, std::string_view name, std::int64_t but)
{
    TRY(const auto kept, session.run(find_former_project, {name, but}));
    if (kept.empty()) return {};
    return fail(Errc::conflict, "the name " + std::string{name} + " is kept for a project that was renamed");
}

Result<> check_path_free(SqlSession& session, std::int64_t project_id, const RepositoryName& name)
{
    TRY(const auto kept, session.run(find_former_path, {project_id, path_of(name)}));
    if (kept.empty()) return {};
    return fail(Errc::denied, "the name " + name.text() + " is kept for a repository that was renamed");
}

Result<> forget_former_names(SqlSession& session, std::int64_t repository_id)
{
    auto projects = session.run(select_pointing_at, {repository_id});
    CHECK(session.run(delete_pointing_at, {repository_id}));
    return note_projects(session, std::move(projects));
}

Result<> forget_former_names_into(SqlSession& session, std::int64_t project_id)
{
    auto projects = session.run(select_pointing_into, {project_id});
    CHECK(session.run(delete_pointing_into, {project_id}));
    return note_projects(session, std::move(projects));
}

Result<>
move_repository(SqlSession& session, const RepositoryName& from, const RepositoryName& into, const Actor& actor)
{
    TRY(const auto before, lock_repository(session, from));
    if (!before) return no_such_repository(from);
    TRY(const auto project, session.run(lock_project_by_name, {into.project()}));
    if (project.empty()) return no_such_repository(into);
    const auto project_id = project.front().integer(0);
    CHECK(check_not_synchronous(session, before->project_id));
    CHECK(check_not_synchronous(session, project_id));
    CHECK(TagGuard{session, *before}.check_repository());
    TRY(const auto taken, find_repository(session, into));
    if (taken) return fail(Errc::conflict, "there is a repository " + into.text() + " already");
    TRY(const auto kept, session.run(find_former_path, {project_id, path_of(into)}));
    if (!kept.empty() && kept.front().integer(0) != before->id) {
        return fail(Errc::conflict, "the name " + into.text() + " is kept for another repository that was renamed");
    }
    CHECK(session.run(take_back_path, {project_id, path_of(into), before->id}));
    CHECK(session.run(update_repository, {before->id, into.text(), project_id, actor.at}));
    if (!path_of(from).empty()) {
        CHECK(session.run(keep_path, {path_of(from), before->project_id, before->id, actor.at, actor.user_id}));
    }
    CHECK(session.run(forget_use, {project_id, path_of(into)}));
    CHECK(session.run(move_use, {before->project_id, path_of(from), project_id, path_of(into)}));
    TRY(const auto after, find_place(session, into));
    if (!after) return fail(Errc::unavailable, "the repository changed meanwhile, try again");
    if (after->project_id != before->project_id) {
        CHECK(move_charges(session, *before, *after, actor));
    } else {
        CHECK(session.run(rename_trash, {project_id, path_of(from), path_of(into)}));
        CHECK(session.run(rename_trashed_manifests, {project_id, path_of(from), path_of(into)}));
    }
    CHECK(record_move(session, *before, *after, from, into, actor));
    // The new place forgets a former name, every other one that leads here says where that is now.
    CHECK(note_access_change(session, AccessObject::project, project_id));
    return note_projects(session, session.run(select_pointing_at, {before->id}));
}

Result<std::vector<std::string>>
change_project_name(SqlSession& session, std::int64_t id, const ProjectName& name, const Actor& actor)
{
    CHECK(lock_repositories(session, id));
    TRY(auto project, session.run(lock_project_by_id, {id}));
    if (project.empty()) return fail(Errc::name_unknown, "the project is not known to the registry");
    const auto old = project.front().take_text(0);
    if (old == name.text()) return fail(Errc::conflict, "the project is called " + old + " already");
    CHECK(check_not_synchronous(session, id));
    // Those that came before the project was locked.
    CHECK(lock_repositories(session, id));
    TRY(const auto taken, session.run(find_project_name, {name.text()}));
    if (!taken.empty()) return fail(Errc::conflict, "project " + name.text() + " exists already");
    CHECK(check_project_name_free(session, name.text(), id));
    TRY(const auto rows, session.run(select_names, {id}));
    std::vector<std::string> names;
    for (const SqlRow& row : rows) {
        if (row.text(0).size() - old.size() + name.text().size() > RepositoryName::longest) {
            return fail(Errc::name_invalid, "the name of " + row.text(0) + " would be longer than 255 bytes");
        }
        names.push_back(row.text(0));
    }
    CHECK(session.run(take_back_name, {id, name.text()}));
    CHECK(session.run(update_project, {id, name.text(), actor.at}));
    CHECK(session.run(update_names, {id, name.text(), static_cast<std::int64_t>(old.size() + 1)}));
    CHECK(session.run(keep_name, {old, id, actor.at, actor.user_id}));
    auto event = event_in_project(event_type::project_renamed, actor, id);
    set_details(event, {{"from", old}, {"to", name.text()}});
    CHECK(record_event(session, event));
    CHECK(note_access_change(session, AccessObject::project, id));
    return names;
}

}  // namespace entrepot
