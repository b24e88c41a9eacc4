#include "drivers/sql/sql_immutable_rules.hpp"

#include "drivers/sql/list_statement.hpp"

namespace entrepot {

namespace {

#define RULE_COLUMNS "x.id, x.project_id, x.disabled, x.priority, x.repositories, x.tags"

constexpr ListColumn rule_fields[] = {
    {"id", "x.id", ListColumn::Type::integer},
    {"disabled", "x.disabled", ListColumn::Type::boolean},
};

constexpr SqlStatement find_rule{"SELECT " RULE_COLUMNS " FROM immutable_rules x WHERE x.project_id = $1 AND x.id = $2"
};
// Who pushes or deletes holds the same lock.
constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement count_rules{"SELECT COUNT(*) FROM immutable_rules WHERE project_id = $1"};
constexpr SqlStatement insert_rule{
    "INSERT INTO immutable_rules (project_id, disabled, priority, repositories, tags, created_at, updated_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (project_id, repositories, tags) DO NOTHING RETURNING id"
};
constexpr SqlStatement find_same{
    "SELECT id FROM immutable_rules WHERE project_id = $1 AND id <> $2 AND repositories = $3 AND tags = $4"
};
constexpr SqlStatement update_rule{"UPDATE immutable_rules SET disabled = $3, priority = $4, repositories = $5, "
                                   "tags = $6, updated_at = $7 WHERE project_id = $1 AND id = $2 RETURNING id"};
constexpr SqlStatement delete_rule{"DELETE FROM immutable_rules WHERE project_id = $1 AND id = $2 RETURNING id"};
constexpr SqlStatement count_in_project{
    "UPDATE projects SET immutable_rules = "
    "(SELECT COUNT(*) FROM immutable_rules WHERE project_id = $1 AND disabled = 0) WHERE id = $1"
};

std::unexpected<Error> no_such_rule()
{
    return fail(Errc::not_found, "there is no such immutability rule");
}

std::unexpected<Error> same_rule()
{
    return fail(Errc::conflict, "the project has this immutability rule already");
}

Result<ImmutableRule> rule_of(const SqlRow& row)
{
    TRY(auto repositories, Selectors::parse(row.text(4)));
    TRY(auto tags, Selectors::parse(row.text(5)));
    return ImmutableRule{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .disabled = row.integer(2) != 0,
        .priority = row.integer(3),
        .repositories = std::move(repositories),
        .tags = std::move(tags),
    };
}

Result<ListPage<ImmutableRule>> list_rules(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{RULE_COLUMNS, "immutable_rules x", rule_fields};
    statement.where("x.project_id = ?", {project_id});
    CHECK(statement.apply(query));
    statement.order_by("x.id");
    return statement.list(session, rule_of);
}

Result<std::int64_t> create_rule(SqlSession& session, const ImmutableRule& rule, const Actor& actor)
{
    TRY(const auto project, session.run(lock_project, {rule.project_id}));
    if (project.empty()) return fail(Errc::not_found, "there is no such project");
    TRY(const auto counted, session.run(count_rules, {rule.project_id}));
    if (counted.front().integer(0) >= ImmutableRuleCatalog::most) {
        return fail(
            Errc::bad_request,
            "a project has at most " + std::to_string(ImmutableRuleCatalog::most) + " immutability rules"
        );
    }
    TRY(const auto inserted,
        session.run(
            insert_rule,
            {rule.project_id,
             std::int64_t{rule.disabled},
             rule.priority,
             rule.repositories.text(),
             rule.tags.text(),
             actor.at}
        ));
    if (inserted.empty()) return same_rule();
    CHECK(session.run(count_in_project, {rule.project_id}));
    return inserted.front().integer(0);
}

Result<> change_rule(SqlSession& session, const ImmutableRule& rule, const Actor& actor)
{
    CHECK(session.run(lock_project, {rule.project_id}));
    const auto repositories = rule.repositories.text();
    const auto tags = rule.tags.text();
    TRY(const auto same, session.run(find_same, {rule.project_id, rule.id, repositories, tags}));
    if (!same.empty()) return same_rule();
    TRY(const auto updated,
        session.run(
            update_rule,
            {rule.project_id, rule.id, std::int64_t{rule.disabled}, rule.priority, repositories, tags, actor.at}
        ));
    if (updated.empty()) return no_such_rule();
    CHECK(session.run(count_in_project, {rule.project_id}));
    return {};
}

Result<> remove_rule(SqlSession& session, std::int64_t project_id, std::int64_t id)
{
    CHECK(session.run(lock_project, {project_id}));
    TRY(const auto removed, session.run(delete_rule, {project_id, id}));
    if (removed.empty()) return no_such_rule();
    CHECK(session.run(count_in_project, {project_id}));
    return {};
}

}  // namespace

Task<ListPage<ImmutableRule>> SqlImmutableRules::list(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) { return list_rules(session, project_id, query); };
    co_return co_await engine_.read(work);
}

Task<ImmutableRule> SqlImmutableRules::find(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) -> Result<ImmutableRule> {
        TRY(const auto rows, session.run(find_rule, {project_id, id}));
        if (rows.empty()) return no_such_rule();
        return rule_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<std::int64_t> SqlImmutableRules::create(ImmutableRule rule, Actor actor)
{
    const auto work = [rule = std::move(rule), actor](SqlSession& session) {
        return create_rule(session, rule, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlImmutableRules::change(ImmutableRule rule, Actor actor)
{
    const auto work = [rule = std::move(rule), actor](SqlSession& session) {
        return change_rule(session, rule, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlImmutableRules::remove(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) { return remove_rule(session, project_id, id); };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
