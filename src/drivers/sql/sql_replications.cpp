#include "drivers/sql/sql_replications.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/replication_policy_rows.hpp"

#include <algorithm>
#include <tuple>

namespace entrepot {
namespace {

constexpr SqlStatement put_pending{
    "INSERT INTO replication_pending (policy_id, repository, reference, removal, digest, bytes, since, failures, "
    "last_error) SELECT id, $2, $3, $4, $5, $6, $7, $8, $9 FROM replication_policies WHERE id = $1 "
    "ON CONFLICT (policy_id, repository, reference) DO UPDATE SET removal = excluded.removal, "
    "digest = excluded.digest, bytes = excluded.bytes"
};

// What a Settled stands for. A copy of an unknown digest is settled by any.
#define STILL_STANDS                                                                                     \
    " WHERE policy_id = $1 AND repository = $2 AND reference = $3 AND removal = $4 AND (removal = 1 OR " \
    "$5 = '' OR digest = '' OR digest = $5)"
constexpr SqlStatement delete_pending{"DELETE FROM replication_pending" STILL_STANDS};
constexpr SqlStatement count_failure{
    "UPDATE replication_pending SET failures = failures + 1, last_error = $6" STILL_STANDS
};
#undef STILL_STANDS

constexpr SqlStatement select_pending{
    "SELECT policy_id, repository, reference, removal, digest, bytes, since, failures, last_error "
    "FROM replication_pending WHERE policy_id = $1 AND (repository, reference) > ($2, $3) "
    "ORDER BY repository, reference LIMIT $4"
};

#define LAG_COLUMNS                                                        \
    "SELECT policy_id, COUNT(*), CAST(SUM(bytes) AS BIGINT), MIN(since), " \
    "CAST(SUM(CASE WHEN failures > 0 THEN 1 ELSE 0 END) AS BIGINT) FROM replication_pending "
constexpr SqlStatement sum_all_pending{LAG_COLUMNS "GROUP BY policy_id ORDER BY policy_id"};
constexpr SqlStatement sum_pending{LAG_COLUMNS "WHERE policy_id = $1 GROUP BY policy_id"};
#undef LAG_COLUMNS

constexpr SqlStatement find_id{"SELECT id FROM replication_policies WHERE id = $1"};

PendingCopy pending_of(SqlRow& row)
{
    return {
        .policy_id = row.integer(0),
        .repository = row.take_text(1),
        .reference = row.take_text(2),
        .removal = row.integer(3) != 0,
        .digest = row.take_text(4),
        .bytes = row.integer(5),
        .since = row.integer(6),
        .failures = static_cast<std::int32_t>(row.integer(7)),
        .last_error = row.take_text(8),
    };
}

Result<> put(SqlSession& session, const PendingCopy& copy)
{
    CHECK(session.run(
        put_pending,
        {copy.policy_id,
         copy.repository,
         copy.reference,
         std::int64_t{copy.removal},
         copy.digest,
         copy.bytes,
         copy.since,
         std::int64_t{copy.failures},
         copy.last_error}
    ));
    return {};
}

// Rows are locked in one order by all, so that no two wait for one another.
template <class Row>
void sort_as_stored(std::vector<Row>& rows)
{
    std::ranges::sort(rows, {}, [](const Row& row) { return std::tie(row.policy_id, row.repository, row.reference); });
}

Result<std::vector<ReplicationLag>> lag_of(SqlSession& session, std::optional<std::int64_t> policy_id)
{
    if (policy_id) {
        TRY(const auto found, session.run(find_id, {*policy_id}));
        if (found.empty()) return no_such_replication_policy();
    }
    TRY(auto rows, policy_id ? session.run(sum_pending, {*policy_id}) : session.run(sum_all_pending));
    std::vector<ReplicationLag> all;
    for (const auto& row : rows) {
        all.push_back({
            .policy_id = row.integer(0),
            .artifacts = row.integer(1),
            .bytes = row.integer(2),
            .oldest = row.integer(3),
            .failed = row.integer(4),
        });
    }
    if (policy_id && all.empty()) all.push_back({.policy_id = *policy_id});
    return all;
}

}  // namespace

Task<ListPage<ReplicationPolicy>> SqlReplications::list(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) {
        return list_replication_policies(session, query);
    };
    co_return co_await engine_.read(work);
}

Task<ReplicationPolicy> SqlReplications::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load_replication_policy(session, id); };
    co_return co_await engine_.read(work);
}

Task<std::vector<ReplicationPolicy>> SqlReplications::event_based()
{
    co_return co_await engine_.read(event_based_policies);
}

Task<ReplicationPolicy> SqlReplications::create(ReplicationPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return create_replication_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ReplicationPolicy> SqlReplications::change(ReplicationPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return change_replication_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlReplications::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_replication_policy(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlReplications::note_pending(std::vector<PendingCopy> pending)
{
    sort_as_stored(pending);
    const auto work = [pending = std::move(pending)](SqlSession& session) -> Result<> {
        for (const auto& copy : pending) CHECK(put(session, copy));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

// Lost with the machine's power the row is there again, and what it stands for is found to be there.
Task<> SqlReplications::settle(std::vector<Settled> settled)
{
    sort_as_stored(settled);
    const auto work = [settled = std::move(settled)](SqlSession& session) -> Result<> {
        for (const auto& one : settled) {
            CHECK(session.run(
                delete_pending, {one.policy_id, one.repository, one.reference, std::int64_t{one.removal}, one.digest}
            ));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlReplications::note_failure(Settled what, std::string error)
{
    const auto work = [what = std::move(what), error = std::move(error)](SqlSession& session) -> Result<> {
        CHECK(session.run(
            count_failure,
            {what.policy_id, what.repository, what.reference, std::int64_t{what.removal}, what.digest, error}
        ));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<ReplicationCatalog::PendingPage> SqlReplications::pending(
    std::int64_t policy_id, std::string after_repository, std::string after_reference, std::int64_t limit
)
{
    const auto work = [=,
                       repository = std::move(after_repository),
                       reference = std::move(after_reference)](SqlSession& session) -> Result<PendingPage> {
        TRY(auto rows, session.run(select_pending, {policy_id, repository, reference, limit + 1}));
        PendingPage page{.pending = {}, .more = static_cast<std::int64_t>(rows.size()) > limit};
        if (page.more) rows.pop_back();
        for (auto& row : rows) page.pending.push_back(pending_of(row));
        return page;
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<ReplicationLag>> SqlReplications::lag(std::optional<std::int64_t> policy_id)
{
    const auto work = [policy_id](SqlSession& session) { return lag_of(session, policy_id); };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
