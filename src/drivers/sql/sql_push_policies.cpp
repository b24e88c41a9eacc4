#include "drivers/sql/sql_push_policies.hpp"

#include "drivers/sql/list_statement.hpp"

namespace entrepot {

namespace {

#define POLICY_COLUMNS "x.id, x.project_id, x.name, x.disabled, x.repositories, x.names, x.tags, x.versions"

constexpr ListColumn policy_fields[] = {
    {"id", "x.id", ListColumn::Type::integer},
    {"name", "x.name"},
    {"disabled", "x.disabled", ListColumn::Type::boolean},
};

constexpr SqlStatement find_policy{"SELECT " POLICY_COLUMNS
                                   " FROM push_policies x WHERE x.project_id = $1 AND x.id = $2"};
constexpr SqlStatement select_policies{"SELECT " POLICY_COLUMNS
                                       " FROM push_policies x WHERE x.project_id = $1 AND x.disabled = 0 ORDER BY x.id"
};
// Who pushes holds the same lock.
constexpr SqlStatement lock_project{"SELECT id FROM projects WHERE id = $1", "FOR NO KEY UPDATE"};
constexpr SqlStatement count_policies{"SELECT COUNT(*) FROM push_policies WHERE project_id = $1"};
constexpr SqlStatement insert_policy{
    "INSERT INTO push_policies (project_id, name, disabled, repositories, names, tags, versions, created_at, "
    "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (project_id, name) DO NOTHING RETURNING id"
};
constexpr SqlStatement find_same{"SELECT id FROM push_policies WHERE project_id = $1 AND id <> $2 AND name = $3"};
constexpr SqlStatement update_policy{
    "UPDATE push_policies SET name = $3, disabled = $4, repositories = $5, names = $6, tags = $7, versions = $8, "
    "updated_at = $9 WHERE project_id = $1 AND id = $2 RETURNING id"
};
constexpr SqlStatement delete_policy{"DELETE FROM push_policies WHERE project_id = $1 AND id = $2 RETURNING id"};
constexpr SqlStatement count_in_project{
    "UPDATE projects SET push_policies = "
    "(SELECT COUNT(*) FROM push_policies WHERE project_id = $1 AND disabled = 0) WHERE id = $1"
};

std::unexpected<Error> no_such_policy()
{
    return fail(Errc::not_found, "there is no such push policy");
}

std::unexpected<Error> name_taken(const PushPolicy& policy)
{
    return fail(Errc::conflict, "the project has a push policy \"" + policy.name + "\" already");
}

Result<std::optional<Selectors>> selectors_of(const std::string& text)
{
    if (text.empty()) return std::nullopt;
    TRY(auto selectors, Selectors::parse(text));
    return selectors;
}

std::string text_of(const std::optional<Selectors>& selectors)
{
    return selectors ? selectors->text() : std::string{};
}

std::string_view text_of(const std::optional<VersionRange>& range)
{
    return range ? std::string_view{range->text()} : std::string_view{};
}

Result<PushPolicy> policy_of(SqlRow& row)
{
    TRY(auto repositories, Selectors::parse(row.text(4)));
    PushPolicy policy{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .name = row.take_text(2),
        .disabled = row.integer(3) != 0,
        .repositories = std::move(repositories),
    };
    TRY(policy.names, selectors_of(row.text(5)));
    TRY(policy.tags, selectors_of(row.text(6)));
    if (row.text(7).empty()) return policy;
    TRY(policy.versions, VersionRange::parse(row.text(7)));
    return policy;
}

Result<std::vector<PushPolicy>> policies_of(SqlRows rows)
{
    std::vector<PushPolicy> policies;
    for (SqlRow& row : rows) {
        TRY(auto policy, policy_of(row));
        policies.push_back(std::move(policy));
    }
    return policies;
}

Result<ListPage<PushPolicy>> list_policies(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{POLICY_COLUMNS, "push_policies x", policy_fields};
    statement.where("x.project_id = ?", {project_id});
    CHECK(statement.apply(query));
    statement.order_by("x.id");
    ListPage<PushPolicy> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    TRY(page.items, policies_of(std::move(rows)));
    return page;
}

Result<std::int64_t> create_policy(SqlSession& session, const PushPolicy& policy, const Actor& actor)
{
    TRY(const auto project, session.run(lock_project, {policy.project_id}));
    if (project.empty()) return fail(Errc::not_found, "there is no such project");
    TRY(const auto counted, session.run(count_policies, {policy.project_id}));
    if (counted.front().integer(0) >= PushPolicy::most) {
        return fail(Errc::bad_request, "a project has at most " + std::to_string(PushPolicy::most) + " push policies");
    }
    TRY(const auto inserted,
        session.run(
            insert_policy,
            {policy.project_id,
             policy.name,
             std::int64_t{policy.disabled},
             policy.repositories.text(),
             text_of(policy.names),
             text_of(policy.tags),
             text_of(policy.versions),
             actor.at}
        ));
    if (inserted.empty()) return name_taken(policy);
    CHECK(session.run(count_in_project, {policy.project_id}));
    return inserted.front().integer(0);
}

Result<> change_policy(SqlSession& session, const PushPolicy& policy, const Actor& actor)
{
    CHECK(session.run(lock_project, {policy.project_id}));
    TRY(const auto same, session.run(find_same, {policy.project_id, policy.id, policy.name}));
    if (!same.empty()) return name_taken(policy);
    TRY(const auto updated,
        session.run(
            update_policy,
            {policy.project_id,
             policy.id,
             policy.name,
             std::int64_t{policy.disabled},
             policy.repositories.text(),
             text_of(policy.names),
             text_of(policy.tags),
             text_of(policy.versions),
             actor.at}
        ));
    if (updated.empty()) return no_such_policy();
    CHECK(session.run(count_in_project, {policy.project_id}));
    return {};
}

Result<> remove_policy(SqlSession& session, std::int64_t project_id, std::int64_t id)
{
    CHECK(session.run(lock_project, {project_id}));
    TRY(const auto removed, session.run(delete_policy, {project_id, id}));
    if (removed.empty()) return no_such_policy();
    CHECK(session.run(count_in_project, {project_id}));
    return {};
}

}  // namespace

Task<ListPage<PushPolicy>> SqlPushPolicies::list(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) { return list_policies(session, project_id, query); };
    co_return co_await engine_.read(work);
}

Task<PushPolicy> SqlPushPolicies::find(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) -> Result<PushPolicy> {
        TRY(auto rows, session.run(find_policy, {project_id, id}));
        if (rows.empty()) return no_such_policy();
        return policy_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<std::int64_t> SqlPushPolicies::create(PushPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return create_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPushPolicies::change(PushPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return change_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPushPolicies::remove(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) { return remove_policy(session, project_id, id); };
    co_return co_await engine_.write(Durability::durable, work);
}

Result<>
check_push(SqlSession& session, const RepositoryRow& place, const RepositoryName& name, std::span<const Tag> tags)
{
    if (!place.has_push_policies) return {};
    TRY(auto rows, session.run(select_policies, {place.project_id}));
    TRY(const auto policies, policies_of(std::move(rows)));
    if (auto refusal = refusal_of_repository(policies, name.text())) return fail(Errc::denied, *std::move(refusal));
    for (const auto& tag : tags) {
        if (auto refusal = refusal_of_tag(policies, name.text(), tag.text())) {
            return fail(Errc::denied, *std::move(refusal));
        }
    }
    return {};
}

}  // namespace entrepot
