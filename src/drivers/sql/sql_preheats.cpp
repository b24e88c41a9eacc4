#include "drivers/sql/sql_preheats.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/name_list_text.hpp"

#include <utility>

namespace entrepot {

namespace {

#define PREHEAT_COLUMNS                                                                                           \
    "p.id, p.project_id, p.repository, p.reference, p.platform, p.digest, p.bytes, p.zones, p.names, p.percent, " \
    "p.deadline, p.rate, p.owner_id, p.access_token_id, COALESCE(u.name, ''), p.stage, p.message, p.created_at, " \
    "p.ended_at"
#define PREHEAT_TABLES "preheats p LEFT JOIN users u ON u.id = p.owner_id"
#define NODE_COLUMNS "n.id, n.name, n.zone, x.state, x.bytes_done, x.message, x.at"
#define NODE_TABLES "preheat_nodes x JOIN nodes n ON n.id = x.node_id"

constexpr ListColumn preheat_fields[] = {
    {"id", "p.id", ListColumn::Type::integer},
    {"stage", "p.stage"},
    {"repository", "p.repository"},
};
constexpr ListColumn node_fields[] = {
    {"state", "x.state"},
    {"name", "n.name"},
    {"zone", "n.zone"},
};

constexpr SqlStatement insert_preheat{
    "INSERT INTO preheats (project_id, repository, reference, platform, digest, bytes, zones, names, percent, "
    "deadline, rate, owner_id, access_token_id, stage, message, created_at, ended_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'running', '', $14, 0) RETURNING id"
};
// One that was removed meanwhile is passed over.
constexpr SqlStatement insert_node{"INSERT INTO preheat_nodes (preheat_id, node_id, state, bytes_done, message, at) "
                                   "SELECT $1, id, 'waiting', 0, '', $3 FROM nodes WHERE id = $2"};
constexpr SqlStatement find_by_id{"SELECT " PREHEAT_COLUMNS " FROM " PREHEAT_TABLES " WHERE p.id = $1"};
constexpr SqlStatement select_running{"SELECT " PREHEAT_COLUMNS " FROM " PREHEAT_TABLES
                                      " WHERE p.ended_at = 0 ORDER BY p.id"};
constexpr SqlStatement count_nodes{
    "SELECT state, COUNT(*), CAST(COALESCE(SUM(bytes_done), 0) AS BIGINT) FROM preheat_nodes WHERE preheat_id = $1 "
    "GROUP BY state"
};
constexpr SqlStatement select_states{"SELECT node_id, state FROM preheat_nodes WHERE preheat_id = $1"};
// Of a preheat that runs, and of a node that is there: whoever ends it waits for the row, or is waited for.
constexpr SqlStatement lock_running{"SELECT id FROM preheats WHERE id = $1 AND ended_at = 0", "FOR SHARE"};
constexpr SqlStatement put_news{
    "INSERT INTO preheat_nodes (preheat_id, node_id, state, bytes_done, message, at) "
    "SELECT $1, id, $3, $4, $5, $6 FROM nodes WHERE id = $2 "
    "ON CONFLICT (preheat_id, node_id) DO UPDATE SET state = excluded.state, bytes_done = excluded.bytes_done, "
    "message = excluded.message, at = excluded.at WHERE preheat_nodes.state IN ('waiting', 'running')"
};
constexpr SqlStatement end_running{
    "UPDATE preheats SET stage = $2, message = $3, ended_at = $4 WHERE id = $1 AND ended_at = 0 RETURNING id"
};
constexpr SqlStatement delete_ended{
    "DELETE FROM preheats WHERE id IN (SELECT id FROM preheats WHERE ended_at > 0 AND ended_at < $1 "
    "ORDER BY ended_at, id LIMIT 1000)"
};

std::unexpected<Error> no_such_preheat()
{
    return fail(Errc::not_found, "there is no such preheat");
}

Result<PreheatEntry> preheat_of(SqlRow& row)
{
    TRY(auto zones, parse_name_list(row.text(7)));
    TRY(auto names, parse_name_list(row.text(8)));
    return PreheatEntry{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .repository = row.take_text(2),
        .reference = row.take_text(3),
        .platform = row.take_text(4),
        .digest = row.take_text(5),
        .bytes = row.integer(6),
        .selection = {.zones = std::move(zones), .names = std::move(names), .percent = row.integer(9)},
        .deadline = row.integer(10),
        .rate = row.integer(11),
        .owner_id = row.integer(12),
        .access_token_id = row.integer(13),
        .owner = row.take_text(14),
        .stage = preheat_stage_named(row.text(15)).value_or(PreheatStage::failed),
        .message = row.take_text(16),
        .created_at = row.integer(17),
        .ended_at = row.integer(18),
    };
}

PreheatNode node_of(SqlRow& row)
{
    return {
        .id = row.take_text(0),
        .name = row.take_text(1),
        .zone = row.take_text(2),
        .state = node_preheat_named(row.text(3)).value_or(NodePreheat::failed),
        .bytes_done = row.integer(4),
        .message = row.take_text(5),
        .at = row.integer(6),
    };
}

Result<> count(SqlSession& session, PreheatEntry& preheat)
{
    TRY(const auto rows, session.run(count_nodes, {preheat.id}));
    for (const auto& row : rows) {
        const auto state = node_preheat_named(row.text(0)).value_or(NodePreheat::failed);
        preheat.counts.nodes[static_cast<std::size_t>(state)] += row.integer(1);
        preheat.counts.bytes_done += row.integer(2);
    }
    return {};
}

Result<PreheatEntry> load(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(find_by_id, {id}));
    if (rows.empty()) return no_such_preheat();
    TRY(auto preheat, preheat_of(rows.front()));
    CHECK(count(session, preheat));
    return preheat;
}

Result<> record(SqlSession& session, std::string_view type, const PreheatEntry& preheat, const Actor& actor)
{
    auto event = event_in_project(type, actor, preheat.project_id);
    event.repository = preheat.repository;
    event.digest = preheat.digest;
    if (!preheat.reference.contains(':')) event.tag = preheat.reference;
    boost::json::object details{{"id", preheat.id}, {"stage", name_of(preheat.stage)}, {"nodes", preheat.counts.all()}};
    if (preheat.ended_at != 0) {
        details["done"] = preheat.counts.of(NodePreheat::done);
        details["message"] = preheat.message;
    }
    set_details(event, details);
    return record_event(session, event);
}

Result<std::int64_t>
insert(SqlSession& session, const PreheatEntry& preheat, const std::vector<std::string>& nodes, const Actor& actor)
{
    TRY(const auto rows,
        session.run(
            insert_preheat,
            {preheat.project_id,
             preheat.repository,
             preheat.reference,
             preheat.platform,
             preheat.digest,
             preheat.bytes,
             name_list_text(preheat.selection.zones),
             name_list_text(preheat.selection.names),
             preheat.selection.percent,
             preheat.deadline,
             preheat.rate,
             preheat.owner_id,
             preheat.access_token_id,
             actor.at}
        ));
    const auto id = rows.front().integer(0);
    for (const auto& node : nodes) CHECK(session.run(insert_node, {id, node, actor.at}));
    TRY(const auto made, load(session, id));
    CHECK(record(session, event_type::preheat_created, made, actor));
    return id;
}

Result<> write(SqlSession& session, const std::vector<PreheatNews>& news, Micros at)
{
    std::map<std::int64_t, bool> runs;
    for (const auto& one : news) {
        if (runs.contains(one.preheat)) continue;
        TRY(const auto rows, session.run(lock_running, {one.preheat}));
        runs[one.preheat] = !rows.empty();
    }
    for (const auto& one : news) {
        if (!runs[one.preheat]) continue;
        CHECK(session.run(put_news, {one.preheat, one.node, name_of(one.state), one.bytes_done, one.message, at}));
    }
    return {};
}

Result<bool>
end_one(SqlSession& session, std::int64_t id, PreheatStage stage, const std::string& message, const Actor& actor)
{
    TRY(const auto rows, session.run(end_running, {id, name_of(stage), message, actor.at}));
    TRY(const auto preheat, load(session, id));
    if (rows.empty()) return false;
    CHECK(record(session, event_type::preheat_ended, preheat, actor));
    return true;
}

Result<ListPage<PreheatEntry>>
list_all(SqlSession& session, const std::optional<std::vector<std::int64_t>>& projects, const ListQuery& query)
{
    ListStatement statement{PREHEAT_COLUMNS, PREHEAT_TABLES, preheat_fields};
    if (projects) statement.where_one_of("p.project_id", *projects);
    CHECK(statement.apply(query));
    statement.order_by("p.id DESC");
    TRY(auto page, statement.list(session, preheat_of));
    for (auto& preheat : page.items) CHECK(count(session, preheat));
    return page;
}

}  // namespace

Task<std::int64_t> SqlPreheats::add(PreheatEntry preheat, std::vector<std::string> nodes, Actor actor)
{
    const auto work = [preheat = std::move(preheat), nodes = std::move(nodes), actor](SqlSession& session) {
        return insert(session, preheat, nodes, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<PreheatEntry>> SqlPreheats::list(std::optional<std::vector<std::int64_t>> projects, ListQuery query)
{
    const auto work = [projects = std::move(projects), query = std::move(query)](SqlSession& session) {
        return list_all(session, projects, query);
    };
    co_return co_await engine_.read(work);
}

Task<PreheatEntry> SqlPreheats::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load(session, id); };
    co_return co_await engine_.read(work);
}

Task<ListPage<PreheatNode>> SqlPreheats::nodes(std::int64_t id, ListQuery query)
{
    const auto work = [id, query = std::move(query)](SqlSession& session) -> Result<ListPage<PreheatNode>> {
        ListStatement statement{NODE_COLUMNS, NODE_TABLES, node_fields};
        statement.where("x.preheat_id = ?", {id});
        CHECK(statement.apply(query));
        statement.order_by("n.name, n.id");
        return statement.list(session, node_of);
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<PreheatEntry>> SqlPreheats::running()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<PreheatEntry>> {
        TRY(auto rows, session.run(select_running));
        std::vector<PreheatEntry> all;
        for (auto& row : rows) {
            TRY(auto preheat, preheat_of(row));
            CHECK(count(session, preheat));
            all.push_back(std::move(preheat));
        }
        return all;
    };
    co_return co_await engine_.read(work);
}

Task<std::map<std::string, NodePreheat>> SqlPreheats::states(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<std::map<std::string, NodePreheat>> {
        TRY(auto rows, session.run(select_states, {id}));
        std::map<std::string, NodePreheat> states;
        for (auto& row : rows)
            states.emplace(row.take_text(0), node_preheat_named(row.text(1)).value_or(NodePreheat::failed));
        return states;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlPreheats::note(std::vector<PreheatNews> news, Micros at)
{
    const auto work = [news = std::move(news), at](SqlSession& session) { return write(session, news, at); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<bool> SqlPreheats::end(std::int64_t id, PreheatStage stage, std::string message, Actor actor)
{
    const auto work = [id, stage, message = std::move(message), actor](SqlSession& session) {
        return end_one(session, id, stage, message, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPreheats::remove_ended(Micros before)
{
    const auto work = [before](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_ended, {before}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
