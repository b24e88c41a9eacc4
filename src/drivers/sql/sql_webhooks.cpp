#include "drivers/sql/sql_webhooks.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/webhook_text.hpp"

#include <map>

namespace entrepot {
namespace {

#define POLICY_COLUMNS                                                                                         \
    "w.id, w.project_id, w.name, w.description, w.enabled, w.event_types, w.repositories, w.tags, w.targets, " \
    "w.creator_id, COALESCE(u.name, ''), w.created_at, w.updated_at"
#define POLICY_FROM "webhook_policies w LEFT JOIN users u ON u.id = w.creator_id"

constexpr SqlStatement find_policy{"SELECT " POLICY_COLUMNS " FROM " POLICY_FROM " WHERE w.id = $1"};
constexpr SqlStatement select_enabled{"SELECT " POLICY_COLUMNS " FROM " POLICY_FROM
                                      " WHERE w.enabled = 1 AND NOT EXISTS (SELECT 1 FROM settings s "
                                      "WHERE s.name = 'notification_enable' AND s.value = 'false') ORDER BY w.id"};
constexpr const char* policy_columns = POLICY_COLUMNS;
constexpr const char* policy_from = POLICY_FROM;
#undef POLICY_COLUMNS
#undef POLICY_FROM

constexpr ListColumn policy_fields[] = {
    {"id", "w.id", ListColumn::Type::integer},
    {"name", "w.name"},
    {"creation_time", "w.created_at", ListColumn::Type::time},
    {"update_time", "w.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement hold_project{"SELECT id FROM projects WHERE id = $1", "FOR KEY SHARE"};
constexpr SqlStatement insert_policy{
    "INSERT INTO webhook_policies (project_id, name, description, enabled, event_types, repositories, tags, targets, "
    "creator_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) "
    "ON CONFLICT (project_id, name) DO NOTHING RETURNING id"
};
constexpr SqlStatement lock_policy{"SELECT project_id, name FROM webhook_policies WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_same_name{"SELECT id FROM webhook_policies WHERE project_id = $1 AND name = $2 AND id <> $3"
};
constexpr SqlStatement update_policy{
    "UPDATE webhook_policies SET name = $2, description = $3, enabled = $4, event_types = $5, repositories = $6, "
    "tags = $7, targets = $8, updated_at = $9 WHERE id = $1"
};
constexpr SqlStatement delete_policy{"DELETE FROM webhook_policies WHERE id = $1"};

constexpr SqlStatement put_trigger{
    "INSERT INTO webhook_triggers (policy_id, event_type, at) SELECT id, $2, $3 FROM webhook_policies WHERE id = $1 "
    "ON CONFLICT (policy_id, event_type) DO UPDATE SET at = excluded.at"
};
constexpr SqlStatement select_triggers{
    "SELECT t.policy_id, t.event_type, t.at FROM webhook_triggers t JOIN webhook_policies w ON w.id = t.policy_id "
    "WHERE w.project_id = $1 ORDER BY t.policy_id, t.event_type"
};

constexpr SqlStatement select_circuits{
    "SELECT target, failures, open_until, last_error FROM webhook_circuits WHERE policy_id = $1"
};
constexpr SqlStatement delete_circuits{"DELETE FROM webhook_circuits WHERE policy_id = $1"};
constexpr SqlStatement delete_circuit{"DELETE FROM webhook_circuits WHERE policy_id = $1 AND target = $2"};
constexpr SqlStatement move_probe{
    "UPDATE webhook_circuits SET open_until = $4 WHERE policy_id = $1 AND target = $2 AND open_until = $3 "
    "RETURNING target"
};
constexpr SqlStatement count_failure{
    "INSERT INTO webhook_circuits (policy_id, target, failures, open_until, last_error) "
    "SELECT id, $2, 1, 0, $3 FROM webhook_policies WHERE id = $1 ON CONFLICT (policy_id, target) DO UPDATE SET "
    "failures = webhook_circuits.failures + 1, last_error = excluded.last_error RETURNING failures"
};
constexpr SqlStatement open_circuit{"UPDATE webhook_circuits SET open_until = $3 WHERE policy_id = $1 AND target = $2"};
constexpr SqlStatement count_open{"SELECT COUNT(*) FROM webhook_circuits WHERE open_until > $1"};

constexpr std::int64_t most_doublings = 5;

std::unexpected<Error> no_such_policy()
{
    return fail(Errc::not_found, "there is no such webhook policy");
}

std::unexpected<Error> name_taken(const WebhookPolicy& policy)
{
    return fail(Errc::conflict, "there is a webhook policy \"" + policy.name + "\" already");
}

// Without its circuits.
Result<WebhookPolicy> policy_of(SqlRow& row)
{
    WebhookPolicy policy;
    policy.id = row.integer(0);
    policy.project_id = row.integer(1);
    policy.name = row.take_text(2);
    policy.description = row.take_text(3);
    policy.enabled = row.integer(4) != 0;
    policy.event_types = words_in(row.text(5));
    policy.repositories = row.take_text(6);
    policy.tags = row.take_text(7);
    TRY(policy.targets, targets_in(row.text(8)));
    policy.creator_id = row.integer(9);
    policy.creator = row.take_text(10);
    policy.created_at = row.integer(11);
    policy.updated_at = row.integer(12);
    return policy;
}

Result<> add_circuits(SqlSession& session, WebhookPolicy& policy)
{
    TRY(auto circuits, session.run(select_circuits, {policy.id}));
    for (auto& circuit : circuits) {
        const auto target = static_cast<std::size_t>(circuit.integer(0));
        if (target >= policy.targets.size()) continue;
        policy.targets[target].circuit = {circuit.integer(1), circuit.integer(2), circuit.take_text(3)};
    }
    return {};
}

Result<std::vector<WebhookPolicy>> policies_of(SqlRows rows)
{
    std::vector<WebhookPolicy> policies;
    for (auto& row : rows) {
        TRY(auto policy, policy_of(row));
        policies.push_back(std::move(policy));
    }
    return policies;
}

Result<WebhookPolicy> load(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(find_policy, {id}));
    if (rows.empty()) return no_such_policy();
    TRY(auto policy, policy_of(rows.front()));
    CHECK(add_circuits(session, policy));
    return policy;
}

Result<> record_policy(
    SqlSession& session,
    std::string_view type,
    std::int64_t project_id,
    std::int64_t id,
    std::string_view name,
    const Actor& actor
)
{
    auto event = event_about(type, actor, id, name);
    event.project_id = project_id;
    return record_event(session, event);
}

Result<WebhookPolicy> create_policy(SqlSession& session, const WebhookPolicy& policy, const Actor& actor)
{
    if (policy.project_id != 0) {
        TRY(const auto project, session.run(hold_project, {policy.project_id}));
        if (project.empty()) return fail(Errc::not_found, "there is no such project");
    }
    TRY(const auto rows,
        session.run(
            insert_policy,
            {policy.project_id,
             policy.name,
             policy.description,
             std::int64_t{policy.enabled},
             words_text(policy.event_types),
             policy.repositories,
             policy.tags,
             targets_text(policy.targets),
             actor.user_id,
             actor.at}
        ));
    if (rows.empty()) return name_taken(policy);
    const auto id = rows.front().integer(0);
    CHECK(record_policy(session, event_type::webhook_created, policy.project_id, id, policy.name, actor));
    return load(session, id);
}

Result<WebhookPolicy> change_policy(SqlSession& session, const WebhookPolicy& policy, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_policy, {policy.id}));
    if (locked.empty()) return no_such_policy();
    const auto project_id = locked.front().integer(0);
    TRY(const auto same, session.run(find_same_name, {project_id, policy.name, policy.id}));
    if (!same.empty()) return name_taken(policy);
    CHECK(session.run(
        update_policy,
        {policy.id,
         policy.name,
         policy.description,
         std::int64_t{policy.enabled},
         words_text(policy.event_types),
         policy.repositories,
         policy.tags,
         targets_text(policy.targets),
         actor.at}
    ));
    CHECK(session.run(delete_circuits, {policy.id}));
    CHECK(record_policy(session, event_type::webhook_updated, project_id, policy.id, policy.name, actor));
    return load(session, policy.id);
}

Result<> remove_policy(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_policy, {id}));
    if (locked.empty()) return no_such_policy();
    CHECK(session.run(delete_policy, {id}));
    const SqlRow& row = locked.front();
    return record_policy(session, event_type::webhook_deleted, row.integer(0), id, row.text(1), actor);
}

Result<>
count_failed(SqlSession& session, std::int64_t policy_id, std::int64_t target, const WebhookCatalog::Failure& failure)
{
    TRY(const auto rows, session.run(count_failure, {policy_id, target, failure.error}));
    const auto beyond = rows.empty() ? -1 : rows.front().integer(0) - failure.most;
    if (beyond < 0) return {};
    const auto pause = failure.pause << std::min(beyond, most_doublings);
    CHECK(session.run(open_circuit, {policy_id, target, failure.now + pause}));
    return {};
}

}  // namespace

Task<ListPage<WebhookPolicy>> SqlWebhooks::list(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query = std::move(query)](SqlSession& session) -> Result<ListPage<WebhookPolicy>> {
        ListStatement statement{policy_columns, policy_from, policy_fields};
        statement.where("w.project_id = ?", {project_id});
        CHECK(statement.apply(query));
        statement.order_by("w.id DESC");
        ListPage<WebhookPolicy> page;
        TRY(auto rows, statement.page(session));
        TRY(page.items, policies_of(std::move(rows)));
        for (auto& policy : page.items) CHECK(add_circuits(session, policy));
        TRY(page.total, statement.count(session));
        return page;
    };
    co_return co_await engine_.read(work);
}

Task<WebhookPolicy> SqlWebhooks::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load(session, id); };
    co_return co_await engine_.read(work);
}

Task<std::vector<WebhookPolicy>> SqlWebhooks::enabled()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<WebhookPolicy>> {
        TRY(auto rows, session.run(select_enabled));
        return policies_of(std::move(rows));
    };
    co_return co_await engine_.read(work);
}

Task<WebhookPolicy> SqlWebhooks::create(WebhookPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return create_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<WebhookPolicy> SqlWebhooks::change(WebhookPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return change_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlWebhooks::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_policy(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlWebhooks::triggered(std::vector<WebhookTrigger> triggers)
{
    const auto work = [triggers = std::move(triggers)](SqlSession& session) -> Result<> {
        for (const auto& trigger : triggers) {
            CHECK(session.run(put_trigger, {trigger.policy_id, trigger.event_type, trigger.at}));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<WebhookTrigger>> SqlWebhooks::last_triggers(std::int64_t project_id)
{
    const auto work = [project_id](SqlSession& session) -> Result<std::vector<WebhookTrigger>> {
        TRY(auto rows, session.run(select_triggers, {project_id}));
        std::vector<WebhookTrigger> triggers;
        for (auto& row : rows) triggers.push_back({row.integer(0), row.take_text(1), row.integer(2)});
        return triggers;
    };
    co_return co_await engine_.read(work);
}

Task<bool> SqlWebhooks::claim_probe(std::int64_t policy_id, std::size_t target, Micros seen, Micros until)
{
    const auto number = static_cast<std::int64_t>(target);
    const auto work = [=](SqlSession& session) -> Result<bool> {
        TRY(const auto rows, session.run(move_probe, {policy_id, number, seen, until}));
        return !rows.empty();
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlWebhooks::succeeded(std::int64_t policy_id, std::size_t target)
{
    const auto number = static_cast<std::int64_t>(target);
    const auto work = [=](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_circuit, {policy_id, number}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlWebhooks::failed(std::int64_t policy_id, std::size_t target, Failure failure)
{
    const auto number = static_cast<std::int64_t>(target);
    const auto work = [=, failure = std::move(failure)](SqlSession& session) {
        return count_failed(session, policy_id, number, failure);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::int64_t> SqlWebhooks::open_circuits(Micros now)
{
    const auto work = [now](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto rows, session.run(count_open, {now}));
        return rows.front().integer(0);
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
