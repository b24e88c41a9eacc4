#include "drivers/sql/sql_checks.hpp"

#include "drivers/sql/artifact_list.hpp"
#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/repository_rows.hpp"

namespace entrepot {

namespace {

#define CHECK_COLUMNS "x.name, x.state, x.url, x.summary, COALESCE(u.name, ''), x.reported_at"
#define CHECK_TABLES "artifact_checks x LEFT JOIN users u ON u.id = x.reporter_id"

constexpr ListColumn check_fields[] = {
    {"name", "x.name"},
    {"state", "x.state"},
    {"report_time", "x.reported_at", ListColumn::Type::time},
};

constexpr SqlStatement find_check{"SELECT " CHECK_COLUMNS " FROM " CHECK_TABLES
                                  " WHERE x.manifest_id = $1 AND x.name = $2"};
constexpr SqlStatement count_others{"SELECT COUNT(*) FROM artifact_checks WHERE manifest_id = $1 AND name <> $2"};
constexpr SqlStatement put_check{
    "INSERT INTO artifact_checks (manifest_id, name, state, url, summary, reporter_id, reported_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (manifest_id, name) DO UPDATE SET state = excluded.state, "
    "url = excluded.url, summary = excluded.summary, reporter_id = excluded.reporter_id, "
    "reported_at = excluded.reported_at"
};
constexpr SqlStatement delete_check{"DELETE FROM artifact_checks WHERE manifest_id = $1 AND name = $2 RETURNING name"};

Result<ArtifactCheck> check_of(SqlRow& row)
{
    const auto state = check_state_named(row.text(1));
    if (!state) return fail(Errc::corrupt, "a check's state can't be read");
    return ArtifactCheck{
        .name = row.take_text(0),
        .state = *state,
        .url = row.take_text(2),
        .summary = row.take_text(3),
        .reporter = row.take_text(4),
        .at = row.integer(5),
    };
}

// The repository is locked, so that of two reports the later one counts the earlier.
Result<FoundArtifact> lock_artifact(SqlSession& session, const RepositoryName& name, const Reference& reference)
{
    TRY(const auto place, lock_repository(session, name));
    if (!place) return no_such_repository(name);
    return resolve_artifact(session, name, reference);
}

Result<> record(
    SqlSession& session,
    const RepositoryName& name,
    const FoundArtifact& artifact,
    boost::json::object check,
    const Actor& actor
)
{
    auto event = event_in_project(event_type::artifact_checked, actor, artifact.project_id);
    event.repository = name.text();
    event.digest = artifact.digest;
    set_details(event, {{"check", std::move(check)}});
    return record_event(session, event);
}

Result<ListPage<ArtifactCheck>>
list_checks(SqlSession& session, const RepositoryName& name, const Reference& reference, const ListQuery& query)
{
    TRY(const auto artifact, resolve_artifact(session, name, reference));
    ListStatement statement{CHECK_COLUMNS, CHECK_TABLES, check_fields};
    statement.where("x.manifest_id = ?", {artifact.id});
    CHECK(statement.apply(query));
    statement.order_by("x.name");
    return statement.list(session, check_of);
}

Result<ArtifactCheck> report_check(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    const ArtifactCheck& check,
    const Actor& actor
)
{
    TRY(const auto artifact, lock_artifact(session, name, reference));
    TRY(const auto others, session.run(count_others, {artifact.id, check.name}));
    if (others.front().integer(0) >= static_cast<std::int64_t>(ArtifactCheck::most)) {
        return fail(
            Errc::precondition_failed, "an artifact has at most " + std::to_string(ArtifactCheck::most) + " checks"
        );
    }
    const auto state = name_of(check.state);
    CHECK(session.run(put_check, {artifact.id, check.name, state, check.url, check.summary, actor.user_id, actor.at}));
    CHECK(record(session, name, artifact, {{"name", check.name}, {"state", state}, {"url", check.url}}, actor));
    TRY(auto rows, session.run(find_check, {artifact.id, check.name}));
    return check_of(rows.front());
}

Result<> remove_check(
    SqlSession& session,
    const RepositoryName& name,
    const Reference& reference,
    const std::string& check,
    const Actor& actor
)
{
    TRY(const auto artifact, lock_artifact(session, name, reference));
    TRY(const auto removed, session.run(delete_check, {artifact.id, check}));
    if (removed.empty()) return fail(Errc::not_found, "the artifact has no check \"" + check + "\"");
    return record(session, name, artifact, {{"name", check}, {"state", "removed"}}, actor);
}

}  // namespace

Task<ListPage<ArtifactCheck>> SqlChecks::list(RepositoryName name, Reference reference, ListQuery query)
{
    const auto work = [name, reference, query = std::move(query)](SqlSession& session) {
        return list_checks(session, name, reference, query);
    };
    co_return co_await engine_.read(work);
}

Task<ArtifactCheck> SqlChecks::report(RepositoryName name, Reference reference, ArtifactCheck check, Actor actor)
{
    const auto work = [name, reference, check = std::move(check), actor](SqlSession& session) {
        return report_check(session, name, reference, check, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlChecks::remove(RepositoryName name, Reference reference, std::string check, Actor actor)
{
    const auto work = [name, reference, check = std::move(check), actor](SqlSession& session) {
        return remove_check(session, name, reference, check, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
