#include "core/ascii.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/promotion_rows.hpp"

#include <algorithm>
#include <map>

namespace entrepot {

namespace {

#define POLICY_COLUMNS                                                                                               \
    "x.id, x.project_id, x.target_project_id, t.name, x.name, x.description, x.disabled, "                           \
    "x.repositories, x.tags, x.target_repository, x.target_tag, x.gates, x.approvals, x.self_approval, x.lifetime, " \
    "x.trigger_type, s.name"
#define POLICY_TABLES \
    "promotion_policies x JOIN projects t ON t.id = x.target_project_id JOIN projects s ON s.id = x.project_id"

constexpr ListColumn policy_fields[] = {
    {"id", "x.id", ListColumn::Type::integer},
    {"name", "x.name"},
    {"disabled", "x.disabled", ListColumn::Type::boolean},
    {"trigger", "x.trigger_type"},
};

constexpr SqlStatement find_policy{"SELECT " POLICY_COLUMNS " FROM " POLICY_TABLES
                                   " WHERE x.project_id = $1 AND x.id = $2"};
constexpr SqlStatement select_event_based{"SELECT " POLICY_COLUMNS " FROM " POLICY_TABLES
                                          " WHERE x.trigger_type = 'event_based' AND x.disabled = 0 ORDER BY x.id"};
// Those that lead to the project and those that lead from it.
constexpr SqlStatement select_around{"SELECT " POLICY_COLUMNS " FROM " POLICY_TABLES
                                     " WHERE x.project_id = $1 OR x.target_project_id = $1 ORDER BY x.id"};
constexpr SqlStatement lock_projects{"SELECT id FROM projects WHERE id = $1 OR id = $2 ORDER BY id", "FOR KEY SHARE"};
// Whoever adds a step waits here for others that do: two steps alone may be none of them a circle.
constexpr SqlStatement lock_steps{"SELECT version FROM access_state WHERE one = 1", "FOR UPDATE"};
constexpr SqlStatement select_steps{"SELECT x.project_id, x.target_project_id, t.name FROM promotion_policies x "
                                    "JOIN projects t ON t.id = x.target_project_id WHERE x.id <> $1"};
constexpr SqlStatement find_name{"SELECT name FROM projects WHERE id = $1"};
constexpr SqlStatement count_policies{"SELECT COUNT(*) FROM promotion_policies WHERE project_id = $1"};
constexpr SqlStatement find_same{"SELECT id FROM promotion_policies WHERE project_id = $1 AND id <> $2 AND name = $3"};
constexpr SqlStatement insert_policy{
    "INSERT INTO promotion_policies (project_id, target_project_id, name, description, disabled, repositories, tags, "
    "target_repository, target_tag, gates, approvals, self_approval, lifetime, created_by, created_at, updated_at, "
    "trigger_type) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16) RETURNING id"
};
constexpr SqlStatement update_policy{
    "UPDATE promotion_policies SET target_project_id = $3, name = $4, description = $5, disabled = $6, "
    "repositories = $7, tags = $8, target_repository = $9, target_tag = $10, gates = $11, approvals = $12, "
    "self_approval = $13, lifetime = $14, updated_at = $15, trigger_type = $16 WHERE project_id = $1 AND id = $2 "
    "RETURNING id"
};
constexpr SqlStatement delete_policy{"DELETE FROM promotion_policies WHERE project_id = $1 AND id = $2 RETURNING id"};

std::unexpected<Error> no_such_policy()
{
    return fail(Errc::not_found, "there is no such promotion policy");
}

// One gate a line: kind, number, value. check_promotion_gate() lets no line break into a value.
std::string text_of(const std::vector<PromotionGate>& gates)
{
    std::string text;
    for (const auto& gate : gates) {
        text.append(name_of(gate.kind)).append(" ").append(std::to_string(gate.number));
        text.append(" ").append(gate.value).append("\n");
    }
    return text;
}

Result<std::vector<PromotionGate>> gates_in(std::string_view text)
{
    std::vector<PromotionGate> gates;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        const auto first = line.find(' ');
        const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
        const auto kind = promotion_gate_named(line.substr(0, first));
        const auto number =
            second == std::string_view::npos ? std::nullopt : parse_decimal(line.substr(first + 1, second - first - 1));
        if (!kind || !number) return fail(Errc::corrupt, "a promotion policy's gates can't be read");
        gates.push_back({*kind, std::string{line.substr(second + 1)}, static_cast<std::int64_t>(*number)});
    }
    return gates;
}

Result<PromotionPolicy> policy_of(SqlRow& row)
{
    TRY(auto repositories, Selectors::parse(row.text(7)));
    TRY(auto tags, Selectors::parse(row.text(8)));
    TRY(auto gates, gates_in(row.text(11)));
    const auto trigger = promotion_trigger_named(row.text(15));
    if (!trigger) return fail(Errc::corrupt, "a promotion policy's trigger can't be read");
    return PromotionPolicy{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .project = row.take_text(16),
        .target_project_id = row.integer(2),
        .target_project = row.take_text(3),
        .name = row.take_text(4),
        .description = row.take_text(5),
        .disabled = row.integer(6) != 0,
        .trigger = *trigger,
        .repositories = std::move(repositories),
        .tags = std::move(tags),
        .target_repository = row.take_text(9),
        .target_tag = row.take_text(10),
        .gates = std::move(gates),
        .approvals = row.integer(12),
        .self_approval = row.integer(13) != 0,
        .lifetime = row.integer(14),
    };
}

Result<std::vector<PromotionPolicy>> policies_of(SqlRows& rows)
{
    std::vector<PromotionPolicy> policies;
    for (SqlRow& row : rows) {
        TRY(auto policy, policy_of(row));
        policies.push_back(std::move(policy));
    }
    return policies;
}

// From the target along all steps that there are: whether they come back.
Result<> check_circle(SqlSession& session, const PromotionPolicy& policy)
{
    CHECK(session.run(lock_steps));
    TRY(const auto rows, session.run(select_steps, {policy.id}));
    std::multimap<std::int64_t, const SqlRow*> steps;
    for (const SqlRow& row : rows) steps.emplace(row.integer(0), &row);
    TRY(const auto source, session.run(find_name, {policy.project_id}));
    TRY(const auto target, session.run(find_name, {policy.target_project_id}));
    if (source.empty() || target.empty()) return fail(Errc::not_found, "there is no such project");
    // How each project is reached.
    std::map<std::int64_t, std::string> ways;
    ways[policy.target_project_id] = source.front().text(0) + " > " + target.front().text(0);
    std::vector<std::int64_t> left{policy.target_project_id};
    while (!left.empty()) {
        const auto at = left.back();
        left.pop_back();
        if (at == policy.project_id) {
            return fail(Errc::bad_request, "promotions would go in a circle: " + ways[at]);
        }
        const auto [begin, end] = steps.equal_range(at);
        for (auto step = begin; step != end; ++step) {
            const auto next = step->second->integer(1);
            if (ways.emplace(next, ways[at] + " > " + step->second->text(2)).second) left.push_back(next);
        }
    }
    return {};
}

Result<> check_policy(SqlSession& session, const PromotionPolicy& policy)
{
    TRY(const auto projects, session.run(lock_projects, {policy.project_id, policy.target_project_id}));
    const bool same = policy.project_id == policy.target_project_id;
    if (projects.size() != (same ? 1U : 2U)) return fail(Errc::not_found, "there is no such project");
    CHECK(check_circle(session, policy));
    TRY(const auto taken, session.run(find_same, {policy.project_id, policy.id, policy.name}));
    if (taken.empty()) return {};
    return fail(Errc::conflict, "the project has a promotion policy \"" + policy.name + "\" already");
}

}  // namespace

Result<ListPage<PromotionPolicy>>
list_promotion_policies(SqlSession& session, std::int64_t project_id, const ListQuery& query)
{
    ListStatement statement{POLICY_COLUMNS, POLICY_TABLES, policy_fields};
    statement.where("x.project_id = ?", {project_id});
    CHECK(statement.apply(query));
    statement.order_by("x.id");
    ListPage<PromotionPolicy> page;
    TRY(page.total, statement.count(session));
    TRY(auto rows, statement.page(session));
    TRY(page.items, policies_of(rows));
    return page;
}

Result<std::vector<PromotionPolicy>> event_based_promotions(SqlSession& session)
{
    TRY(auto rows, session.run(select_event_based));
    return policies_of(rows);
}

Result<std::vector<PromotionPolicy>> policies_around(SqlSession& session, std::int64_t project_id)
{
    TRY(auto rows, session.run(select_around, {project_id}));
    return policies_of(rows);
}

Result<PromotionPolicy> find_promotion_policy(SqlSession& session, std::int64_t project_id, std::int64_t id)
{
    TRY(auto rows, session.run(find_policy, {project_id, id}));
    if (rows.empty()) return no_such_policy();
    return policy_of(rows.front());
}

Result<std::int64_t> create_promotion_policy(SqlSession& session, const PromotionPolicy& policy, const Actor& actor)
{
    CHECK(check_policy(session, policy));
    TRY(const auto counted, session.run(count_policies, {policy.project_id}));
    if (counted.front().integer(0) >= PromotionPolicy::most) {
        return fail(
            Errc::bad_request, "a project has at most " + std::to_string(PromotionPolicy::most) + " promotion policies"
        );
    }
    TRY(const auto inserted,
        session.run(
            insert_policy,
            {policy.project_id,
             policy.target_project_id,
             policy.name,
             policy.description,
             std::int64_t{policy.disabled},
             policy.repositories.text(),
             policy.tags.text(),
             policy.target_repository,
             policy.target_tag,
             text_of(policy.gates),
             policy.approvals,
             std::int64_t{policy.self_approval},
             policy.lifetime,
             actor.user_id,
             actor.at,
             name_of(policy.trigger)}
        ));
    return inserted.front().integer(0);
}

Result<> change_promotion_policy(SqlSession& session, const PromotionPolicy& policy, const Actor& actor)
{
    TRY(const auto before, session.run(find_policy, {policy.project_id, policy.id}));
    if (before.empty()) return no_such_policy();
    CHECK(check_policy(session, policy));
    TRY(const auto updated,
        session.run(
            update_policy,
            {policy.project_id,
             policy.id,
             policy.target_project_id,
             policy.name,
             policy.description,
             std::int64_t{policy.disabled},
             policy.repositories.text(),
             policy.tags.text(),
             policy.target_repository,
             policy.target_tag,
             text_of(policy.gates),
             policy.approvals,
             std::int64_t{policy.self_approval},
             policy.lifetime,
             actor.at,
             name_of(policy.trigger)}
        ));
    if (updated.empty()) return no_such_policy();
    return {};
}

Result<> remove_promotion_policy(SqlSession& session, std::int64_t project_id, std::int64_t id)
{
    TRY(const auto removed, session.run(delete_policy, {project_id, id}));
    if (removed.empty()) return no_such_policy();
    return {};
}

}  // namespace entrepot
