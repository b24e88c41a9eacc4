#include "drivers/sql/replication_policy_rows.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/replication_text.hpp"

namespace entrepot {
namespace {

#define POLICY_COLUMNS                                                                                              \
    "p.id, p.name, p.description, COALESCE(p.source_id, 0), COALESCE(p.target_id, 0), p.namespace_there, "          \
    "p.replaced_levels, p.filters, p.trigger_type, p.cron, p.replicates_deletion, p.overrides, p.enabled, "         \
    "p.kilobytes_per_second, p.by_chunks, p.single_active, p.confirm_all, p.platforms, p.version_range, "           \
    "p.signed_only, p.with_referrers, p.priority, p.window_from, p.window_until, p.bytes_per_second, p.tenant_id, " \
    "p.creator_id, COALESCE(u.name, ''), p.created_at, p.updated_at"
#define POLICY_FROM "replication_policies p LEFT JOIN users u ON u.id = p.creator_id"
constexpr SqlStatement find_policy{"SELECT " POLICY_COLUMNS " FROM " POLICY_FROM " WHERE p.id = $1"};
constexpr SqlStatement select_event_based{"SELECT " POLICY_COLUMNS " FROM " POLICY_FROM
                                          " WHERE p.trigger_type = 'event_based' AND p.enabled = 1 ORDER BY p.id"};
constexpr const char* policy_columns = POLICY_COLUMNS;
constexpr const char* policy_from = POLICY_FROM;
#undef POLICY_COLUMNS
#undef POLICY_FROM

constexpr ListColumn policy_fields[] = {
    {"id", "p.id", ListColumn::Type::integer},
    {"name", "p.name"},
    {"enabled", "p.enabled", ListColumn::Type::boolean},
    {"source_id", "COALESCE(p.source_id, 0)", ListColumn::Type::integer},
    {"target_id", "COALESCE(p.target_id, 0)", ListColumn::Type::integer},
    {"trigger", "p.trigger_type"},
    {"creation_time", "p.created_at", ListColumn::Type::time},
    {"update_time", "p.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement hold_endpoint{"SELECT id FROM registries WHERE id = $1", "FOR KEY SHARE"};
constexpr SqlStatement insert_policy{
    "INSERT INTO replication_policies (name, description, source_id, target_id, namespace_there, replaced_levels, "
    "filters, trigger_type, cron, replicates_deletion, overrides, enabled, kilobytes_per_second, by_chunks, "
    "single_active, confirm_all, platforms, version_range, signed_only, with_referrers, priority, window_from, "
    "window_until, bytes_per_second, tenant_id, creator_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, "
    "$7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $27) "
    "ON CONFLICT (name) DO NOTHING RETURNING id"
};
constexpr SqlStatement lock_policy{"SELECT name, tenant_id FROM replication_policies WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_same_name{"SELECT id FROM replication_policies WHERE name = $1 AND id <> $2"};
constexpr SqlStatement update_policy{
    "UPDATE replication_policies SET name = $1, description = $2, source_id = $3, target_id = $4, "
    "namespace_there = $5, replaced_levels = $6, filters = $7, trigger_type = $8, cron = $9, "
    "replicates_deletion = $10, overrides = $11, enabled = $12, kilobytes_per_second = $13, by_chunks = $14, "
    "single_active = $15, confirm_all = $16, platforms = $17, version_range = $18, signed_only = $19, "
    "with_referrers = $20, priority = $21, window_from = $22, window_until = $23, bytes_per_second = $24, "
    "tenant_id = $25, updated_at = $26 WHERE id = $27"
};
constexpr SqlStatement delete_policy{"DELETE FROM replication_policies WHERE id = $1"};

std::unexpected<Error> name_taken(const ReplicationPolicy& policy)
{
    return fail(Errc::conflict, "there is a replication policy \"" + policy.name + "\" already");
}

Result<ReplicationPolicy> policy_of(SqlRow& row)
{
    ReplicationPolicy policy;
    policy.id = row.integer(0);
    policy.name = row.take_text(1);
    policy.description = row.take_text(2);
    policy.source_id = row.integer(3);
    policy.target_id = row.integer(4);
    policy.namespace_there = row.take_text(5);
    policy.replaced_levels = static_cast<std::int32_t>(row.integer(6));
    TRY(policy.filters, filters_in(row.text(7)));
    policy.trigger = {.type = row.take_text(8), .cron = row.take_text(9)};
    policy.replicates_deletion = row.integer(10) != 0;
    policy.overrides = row.integer(11) != 0;
    policy.enabled = row.integer(12) != 0;
    policy.kilobytes_per_second = row.integer(13);
    policy.by_chunks = row.integer(14) != 0;
    policy.single_active = row.integer(15) != 0;
    policy.confirm_all = row.integer(16) != 0;
    TRY(policy.platforms, list_in(row.text(17)));
    policy.version_range = row.take_text(18);
    policy.signed_only = row.integer(19) != 0;
    policy.with_referrers = row.integer(20) != 0;
    policy.priority = static_cast<std::int32_t>(row.integer(21));
    policy.window.from = static_cast<std::int32_t>(row.integer(22));
    policy.window.until = static_cast<std::int32_t>(row.integer(23));
    policy.bytes_per_second = row.integer(24);
    policy.tenant_id = row.integer(25);
    policy.creator_id = row.integer(26);
    policy.creator = row.take_text(27);
    policy.created_at = row.integer(28);
    policy.updated_at = row.integer(29);
    return policy;
}

Result<std::vector<ReplicationPolicy>> policies_of(SqlRows rows)
{
    std::vector<ReplicationPolicy> policies;
    policies.reserve(rows.size());
    for (auto& row : rows) {
        TRY(auto policy, policy_of(row));
        policies.push_back(std::move(policy));
    }
    return policies;
}

SqlParameter endpoint_id(std::int64_t id)
{
    if (id == 0) return std::monostate{};
    return id;
}

Result<> hold_endpoints(SqlSession& session, const ReplicationPolicy& policy)
{
    for (const auto id : {policy.source_id, policy.target_id}) {
        if (id == 0) continue;
        TRY(const auto held, session.run(hold_endpoint, {id}));
        if (held.empty()) return fail(Errc::not_found, "there is no such registry endpoint");
    }
    return {};
}

// The columns of insert_policy and update_policy up to the tenant. The texts are to outlive it.
struct PolicyTexts {
    std::string filters;
    std::string platforms;
};
std::vector<SqlParameter> columns_of(const ReplicationPolicy& policy, const PolicyTexts& texts)
{
    const auto flag = [](bool value) { return std::int64_t{value}; };
    return {
        policy.name,
        policy.description,
        endpoint_id(policy.source_id),
        endpoint_id(policy.target_id),
        policy.namespace_there,
        std::int64_t{policy.replaced_levels},
        texts.filters,
        policy.trigger.type,
        policy.trigger.cron,
        flag(policy.replicates_deletion),
        flag(policy.overrides),
        flag(policy.enabled),
        policy.kilobytes_per_second,
        flag(policy.by_chunks),
        flag(policy.single_active),
        flag(policy.confirm_all),
        texts.platforms,
        policy.version_range,
        flag(policy.signed_only),
        flag(policy.with_referrers),
        std::int64_t{policy.priority},
        std::int64_t{policy.window.from},
        std::int64_t{policy.window.until},
        policy.bytes_per_second,
        policy.tenant_id,
    };
}

}  // namespace

std::unexpected<Error> no_such_replication_policy()
{
    return fail(Errc::not_found, "there is no such replication policy");
}

Result<ListPage<ReplicationPolicy>> list_replication_policies(SqlSession& session, const ListQuery& query)
{
    ListStatement statement{policy_columns, policy_from, policy_fields};
    CHECK(statement.apply(query));
    statement.order_by("p.id DESC");
    ListPage<ReplicationPolicy> page;
    TRY(auto rows, statement.page(session));
    TRY(page.items, policies_of(std::move(rows)));
    TRY(page.total, statement.count(session));
    return page;
}

Result<ReplicationPolicy> load_replication_policy(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(find_policy, {id}));
    if (rows.empty()) return no_such_replication_policy();
    return policy_of(rows.front());
}

Result<std::vector<ReplicationPolicy>> event_based_policies(SqlSession& session)
{
    TRY(auto rows, session.run(select_event_based));
    return policies_of(std::move(rows));
}

Result<ReplicationPolicy>
create_replication_policy(SqlSession& session, const ReplicationPolicy& policy, const Actor& actor)
{
    CHECK(hold_endpoints(session, policy));
    const PolicyTexts texts{filters_text(policy.filters), list_text(policy.platforms)};
    auto parameters = columns_of(policy, texts);
    parameters.insert(parameters.end(), {actor.user_id, actor.at});
    TRY(const auto rows, session.run_with(insert_policy, parameters));
    if (rows.empty()) return name_taken(policy);
    const auto id = rows.front().integer(0);
    CHECK(record_in_tenant(session, event_type::replication_policy_created, policy.tenant_id, id, policy.name, actor));
    return load_replication_policy(session, id);
}

Result<ReplicationPolicy>
change_replication_policy(SqlSession& session, const ReplicationPolicy& policy, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_policy, {policy.id}));
    if (locked.empty()) return no_such_replication_policy();
    TRY(const auto same, session.run(find_same_name, {policy.name, policy.id}));
    if (!same.empty()) return name_taken(policy);
    CHECK(hold_endpoints(session, policy));
    const PolicyTexts texts{filters_text(policy.filters), list_text(policy.platforms)};
    auto parameters = columns_of(policy, texts);
    parameters.insert(parameters.end(), {actor.at, policy.id});
    CHECK(session.run_with(update_policy, parameters));
    CHECK(record_in_tenant(
        session, event_type::replication_policy_updated, policy.tenant_id, policy.id, policy.name, actor
    ));
    return load_replication_policy(session, policy.id);
}

Result<> remove_replication_policy(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_policy, {id}));
    if (locked.empty()) return no_such_replication_policy();
    CHECK(session.run(delete_policy, {id}));
    const SqlRow& row = locked.front();
    return record_in_tenant(session, event_type::replication_policy_deleted, row.integer(1), id, row.text(0), actor);
}

}  // namespace entrepot
