#include "drivers/sql/sql_retention.hpp"

#include "drivers/sql/list_statement.hpp"

namespace entrepot {

namespace {

constexpr SqlStatement find_policy{"SELECT project_id, cron, confirm_all FROM retention_policies WHERE id = $1"};
constexpr SqlStatement select_rules{"SELECT disabled, template, number, versions, untagged, repositories, tags "
                                    "FROM retention_rules WHERE policy_id = $1 ORDER BY position"};
constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement insert_policy{
    "INSERT INTO retention_policies (project_id, cron, confirm_all, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $4) ON CONFLICT (project_id) DO NOTHING RETURNING id"
};
constexpr SqlStatement update_policy{
    "UPDATE retention_policies SET cron = $2, confirm_all = $3, updated_at = $4 WHERE id = $1 RETURNING id"
};
constexpr SqlStatement delete_policy{"DELETE FROM retention_policies WHERE id = $1 RETURNING project_id"};
constexpr SqlStatement delete_rules{"DELETE FROM retention_rules WHERE policy_id = $1"};
constexpr SqlStatement insert_rule{
    "INSERT INTO retention_rules (policy_id, position, disabled, template, number, versions, untagged, repositories, "
    "tags) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
};
constexpr SqlStatement name_in_project{
    "INSERT INTO project_metadata (project_id, name, value) VALUES ($1, 'retention_id', $2) "
    "ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value"
};
constexpr SqlStatement unname_in_project{"DELETE FROM project_metadata WHERE project_id = $1 AND name = 'retention_id'"
};

#define INSERT_TASK                                                                                               \
    "INSERT INTO retention_tasks (policy_id, execution_id, repository, removed, retained, started_at, ended_at, " \
    "report) "                                                                                                    \
    "SELECT p.id, $2, $3, $4, $5, $6, $7, $8 FROM retention_policies p WHERE p.id = $1 "                          \
    "ON CONFLICT (execution_id, repository) DO UPDATE SET retained = excluded.retained, ended_at = "              \
    "excluded.ended_at, "
constexpr SqlStatement add_to_task{
    INSERT_TASK
    "removed = retention_tasks.removed + excluded.removed, report = retention_tasks.report || excluded.report"
};
constexpr SqlStatement replace_task{INSERT_TASK "removed = excluded.removed, report = excluded.report"};
constexpr SqlStatement find_report{"SELECT report FROM retention_tasks WHERE execution_id = $1 AND id = $2"};
constexpr SqlStatement delete_tasks{
    "DELETE FROM retention_tasks WHERE policy_id = $1 AND execution_id NOT IN (SELECT x.execution_id FROM "
    "(SELECT DISTINCT execution_id FROM retention_tasks WHERE policy_id = $1) x ORDER BY x.execution_id DESC LIMIT $2)"
};

constexpr ListColumn task_fields[] = {
    {"id", "t.id", ListColumn::Type::integer},
    {"repository", "t.repository"},
    {"removed", "t.removed", ListColumn::Type::integer},
    {"retained", "t.retained", ListColumn::Type::integer},
};

std::unexpected<Error> no_such_policy()
{
    return fail(Errc::not_found, "there is no such retention policy");
}

Result<RetentionRule> rule_of(const SqlRow& row)
{
    const auto keeps = retention_template_named(row.text(1));
    if (!keeps) return fail(Errc::corrupt, "a stored retention rule makes no sense", row.text(1));
    TRY(auto repositories, Selectors::parse(row.text(5)));
    TRY(auto tags, Selectors::parse(row.text(6)));
    RetentionRule rule{
        .disabled = row.integer(0) != 0,
        .keeps = *keeps,
        .number = row.integer(2),
        .untagged = row.integer(4) != 0,
        .repositories = std::move(repositories),
        .tags = std::move(tags),
    };
    if (!row.text(3).empty()) {
        TRY(rule.range, VersionRange::parse(row.text(3)));
    }
    return rule;
}

Result<RetentionPolicy> read_policy(SqlSession& session, std::int64_t id)
{
    TRY(auto found, session.run(find_policy, {id}));
    if (found.empty()) return no_such_policy();
    RetentionPolicy policy{
        .id = id,
        .project_id = found.front().integer(0),
        .cron = found.front().take_text(1),
        .confirm_all = found.front().integer(2) != 0,
    };
    TRY(const auto rows, session.run(select_rules, {id}));
    for (const SqlRow& row : rows) {
        TRY(auto rule, rule_of(row));
        policy.rules.push_back(std::move(rule));
    }
    return policy;
}

Result<> write_rules(SqlSession& session, std::int64_t id, const std::vector<RetentionRule>& rules)
{
    CHECK(session.run(delete_rules, {id}));
    std::int64_t position = 0;
    for (const auto& rule : rules) {
        CHECK(session.run(
            insert_rule,
            {id,
             position++,
             std::int64_t{rule.disabled},
             name_of(rule.keeps),
             rule.number,
             rule.range ? std::string_view{rule.range->text()} : std::string_view{},
             std::int64_t{rule.untagged},
             rule.repositories.text(),
             rule.tags.text()}
        ));
    }
    return {};
}

Result<std::int64_t> create_policy(SqlSession& session, const RetentionPolicy& policy, const Actor& actor)
{
    TRY(const auto project, session.run(lock_project, {policy.project_id}));
    if (project.empty()) return fail(Errc::not_found, "there is no such project");
    TRY(const auto inserted,
        session.run(insert_policy, {policy.project_id, policy.cron, std::int64_t{policy.confirm_all}, actor.at}));
    if (inserted.empty()) return fail(Errc::bad_request, "the project has a retention policy already");
    const auto id = inserted.front().integer(0);
    CHECK(write_rules(session, id, policy.rules));
    CHECK(session.run(name_in_project, {policy.project_id, std::to_string(id)}));
    return id;
}

Result<> change_policy(SqlSession& session, const RetentionPolicy& policy, const Actor& actor)
{
    TRY(const auto updated,
        session.run(update_policy, {policy.id, policy.cron, std::int64_t{policy.confirm_all}, actor.at}));
    if (updated.empty()) return no_such_policy();
    return write_rules(session, policy.id, policy.rules);
}

Result<> remove_policy(SqlSession& session, std::int64_t id)
{
    TRY(const auto removed, session.run(delete_policy, {id}));
    if (removed.empty()) return no_such_policy();
    CHECK(session.run(unname_in_project, {removed.front().integer(0)}));
    return {};
}

Result<ListPage<RetentionTask>> list_tasks(SqlSession& session, std::int64_t execution_id, const ListQuery& query)
{
    ListStatement statement{
        "t.id, t.policy_id, t.execution_id, t.repository, t.removed, t.retained, t.started_at, t.ended_at",
        "retention_tasks t",
        task_fields
    };
    statement.where("t.execution_id = ?", {execution_id});
    CHECK(statement.apply(query));
    statement.order_by("t.id");
    ListPage<RetentionTask> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    for (SqlRow& row : rows) {
        page.items.push_back({
            .id = row.integer(0),
            .policy_id = row.integer(1),
            .execution_id = row.integer(2),
            .repository = row.take_text(3),
            .removed = row.integer(4),
            .retained = row.integer(5),
            .started_at = row.integer(6),
            .ended_at = row.integer(7),
            .report = {},
        });
    }
    return page;
}

}  // namespace

Task<RetentionPolicy> SqlRetention::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return read_policy(session, id); };
    co_return co_await engine_.read(work);
}

Task<std::int64_t> SqlRetention::create(RetentionPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return create_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRetention::change(RetentionPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return change_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRetention::remove(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return remove_policy(session, id); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlRetention::report(RetentionTask task, bool anew)
{
    const auto shared = std::make_shared<const RetentionTask>(std::move(task));
    const auto work = [shared, anew](SqlSession& session) -> Result<> {
        CHECK(session.run(
            anew ? replace_task : add_to_task,
            {shared->policy_id,
             shared->execution_id,
             shared->repository,
             shared->removed,
             shared->retained,
             shared->started_at,
             shared->ended_at,
             shared->report}
        ));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<ListPage<RetentionTask>> SqlRetention::tasks(std::int64_t execution_id, ListQuery query)
{
    const auto work = [execution_id, query](SqlSession& session) { return list_tasks(session, execution_id, query); };
    co_return co_await engine_.read(work);
}

Task<std::string> SqlRetention::task_report(std::int64_t execution_id, std::int64_t id)
{
    const auto work = [execution_id, id](SqlSession& session) -> Result<std::string> {
        TRY(auto rows, session.run(find_report, {execution_id, id}));
        if (rows.empty()) return fail(Errc::not_found, "there is no such task");
        return rows.front().take_text(0);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlRetention::forget_tasks(std::int64_t policy_id, std::int64_t runs_kept)
{
    const auto work = [policy_id, runs_kept](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_tasks, {policy_id, runs_kept}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
