#include "drivers/sql/sql_nodes.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/name_list_text.hpp"

#include <boost/json/value_from.hpp>

#include <utility>

namespace entrepot {

namespace {

namespace json = boost::json;

constexpr SqlStatement insert_secret{
    "INSERT INTO swarm_secrets (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING"
};
constexpr SqlStatement find_secret{"SELECT sealed FROM swarm_secrets WHERE name = $1"};

#define TOKEN_COLUMNS "id, hash, description, zones, nodes, used, created_at, expires_at, created_by"

constexpr SqlStatement insert_token{"INSERT INTO node_tokens (" TOKEN_COLUMNS
                                    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
                                    "ON CONFLICT (id) DO NOTHING RETURNING id"};
constexpr SqlStatement select_tokens{"SELECT " TOKEN_COLUMNS " FROM node_tokens ORDER BY created_at DESC, id DESC"};
constexpr SqlStatement find_token{"SELECT " TOKEN_COLUMNS " FROM node_tokens WHERE id = $1"};
constexpr SqlStatement delete_token{"DELETE FROM node_tokens WHERE id = $1 RETURNING description"};

#undef TOKEN_COLUMNS

#define NODE_COLUMNS "id, name, zone, token_id, admitted_at, certified_at, expires_at"

// Of two that bring the same node one inserts it, and the other waits and finds it.
constexpr SqlStatement put_node{
    "INSERT INTO nodes (" NODE_COLUMNS ", admissions) SELECT $1, $2, $3, id, $5, $6, $7, 1 FROM node_tokens "
    "WHERE id = $4 ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, "
    "certified_at = excluded.certified_at, expires_at = excluded.expires_at, admissions = nodes.admissions + 1 "
    "RETURNING admissions"
};
// Whoever waits for the row sees what the one before has used.
constexpr SqlStatement use_token{"UPDATE node_tokens SET used = used + 1 WHERE id = $1 AND used < nodes RETURNING id"};

constexpr SqlStatement renew_node{"UPDATE nodes SET certified_at = $2, expires_at = $3 WHERE id = $1 RETURNING id"};
constexpr SqlStatement find_node{"SELECT " NODE_COLUMNS " FROM nodes WHERE id = $1"};
constexpr SqlStatement select_nodes{"SELECT " NODE_COLUMNS
                                    " FROM nodes WHERE (name, id) > ($1, $2) ORDER BY name, id LIMIT $3"};
constexpr SqlStatement select_nodes_of_zone{
    "SELECT " NODE_COLUMNS " FROM nodes WHERE zone = $4 AND (name, id) > ($1, $2) ORDER BY name, id LIMIT $3"
};
constexpr SqlStatement delete_node{"DELETE FROM nodes WHERE id = $1 RETURNING " NODE_COLUMNS};
// The time is asked for twice: one that is renewed meanwhile stays.
constexpr SqlStatement delete_old_nodes{
    "DELETE FROM nodes WHERE certified_at < $1 AND id IN (SELECT id FROM nodes WHERE certified_at < $1 "
    "ORDER BY certified_at, id LIMIT $2) RETURNING " NODE_COLUMNS
};

#undef NODE_COLUMNS

// The time is the column's default, which is the database's.
constexpr SqlStatement put_beat{
    "INSERT INTO swarm_instances (endpoint) VALUES ($1) ON CONFLICT (endpoint) DO UPDATE SET beat_at = excluded.beat_at"
};
// A beat of the future was written before the clock was set.
constexpr SqlStatement delete_silent{
    "DELETE FROM swarm_instances WHERE beat_at < (SELECT beat_at FROM swarm_instances WHERE endpoint = $1) - $2 OR "
    "beat_at > (SELECT beat_at FROM swarm_instances WHERE endpoint = $1) + $2"
};
constexpr SqlStatement select_instances{"SELECT endpoint FROM swarm_instances ORDER BY endpoint"};
constexpr SqlStatement delete_instance{"DELETE FROM swarm_instances WHERE endpoint = $1"};

std::unexpected<Error> no_such_token()
{
    return fail(Errc::not_found, "there is no such token for nodes");
}

std::unexpected<Error> no_such_node()
{
    return fail(Errc::not_found, "there is no such node");
}

Result<NodeTokenEntry> token_of(SqlRow& row)
{
    TRY(auto zones, parse_name_list(row.text(3)));
    return NodeTokenEntry{
        .id = row.take_text(0),
        .hash = row.take_text(1),
        .description = row.take_text(2),
        .zones = std::move(zones),
        .nodes = static_cast<std::uint32_t>(row.integer(4)),
        .used = static_cast<std::uint32_t>(row.integer(5)),
        .created_at = row.integer(6),
        .expires_at = row.integer(7),
        .created_by = row.take_text(8),
    };
}

NodeEntry node_of(SqlRow& row)
{
    return {
        .id = row.take_text(0),
        .name = row.take_text(1),
        .zone = row.take_text(2),
        .token_id = row.take_text(3),
        .admitted_at = row.integer(4),
        .certified_at = row.integer(5),
        .expires_at = row.integer(6),
    };
}

Result<NodeEntry> load_node(SqlSession& session, const std::string& id)
{
    TRY(auto rows, session.run(find_node, {id}));
    if (rows.empty()) return no_such_node();
    return node_of(rows.front());
}

Result<> insert(SqlSession& session, const NodeTokenEntry& token, const Actor& actor)
{
    TRY(const auto rows,
        session.run(
            insert_token,
            {token.id,
             token.hash,
             token.description,
             name_list_text(token.zones),
             std::int64_t{token.nodes},
             std::int64_t{token.used},
             token.created_at,
             token.expires_at,
             token.created_by}
        ));
    if (rows.empty()) return fail(Errc::conflict, "a token for nodes of this id exists already");
    auto event = event_by(event_type::node_token_created, actor);
    set_details(
        event,
        {{"id", token.id},
         {"description", token.description},
         {"zones", json::value_from(token.zones)},
         {"nodes", token.nodes}}
    );
    return record_event(session, event);
}

Result<> bring_in(SqlSession& session, const NodeEntry& node)
{
    TRY(const auto put,
        session.run(
            put_node,
            {node.id, node.name, node.zone, node.token_id, node.admitted_at, node.certified_at, node.expires_at}
        ));
    if (put.empty()) return no_such_token();
    const bool known = put.front().integer(0) > 1;
    if (known) return {};
    TRY(const auto used, session.run(use_token, {node.token_id}));
    if (used.empty()) {
        // It may have been removed while this waited for it.
        TRY(const auto token, session.run(find_token, {node.token_id}));
        if (token.empty()) return no_such_token();
        return fail(Errc::conflict, "the token has brought as many nodes as it may");
    }
    auto event = event_by(event_type::node_admitted, {.user_id = 0, .at = node.admitted_at});
    set_details(event, {{"id", node.id}, {"name", node.name}, {"zone", node.zone}, {"token", node.token_id}});
    return record_event(session, event);
}

Result<> note_deleted(SqlSession& session, const NodeEntry& node, const Actor& actor)
{
    auto event = event_by(event_type::node_deleted, actor);
    set_details(event, {{"id", node.id}, {"name", node.name}, {"zone", node.zone}});
    return record_event(session, event);
}

Result<NodeList>
list_nodes(SqlSession& session, const std::string& zone, const std::string& after_id, std::int64_t limit)
{
    NodeEntry after;
    if (!after_id.empty()) {
        TRY(after, load_node(session, after_id));
    }
    TRY(auto rows,
        zone.empty() ? session.run(select_nodes, {after.name, after.id, limit + 1})
                     : session.run(select_nodes_of_zone, {after.name, after.id, limit + 1, zone}));
    NodeList list;
    list.more = std::ssize(rows) > limit;
    if (list.more) rows.pop_back();
    for (auto& row : rows) list.nodes.push_back(node_of(row));
    return list;
}

}  // namespace

Task<std::string> SqlNodes::keep_secret(std::string name, std::string sealed)
{
    const auto look = [name](SqlSession& session) -> Result<std::optional<std::string>> {
        TRY(auto rows, session.run(find_secret, {name}));
        return rows.empty() ? std::nullopt : std::optional{rows.front().take_text(0)};
    };
    // At each start but the first: nothing is written.
    CO_TRY(auto kept, co_await engine_.read(look));
    if (kept) co_return *std::move(kept);
    const auto work = [name = std::move(name), sealed = std::move(sealed)](SqlSession& session) -> Result<std::string> {
        CHECK(session.run(insert_secret, {name, SqlBytes{sealed}}));
        TRY(auto rows, session.run(find_secret, {name}));
        if (rows.empty()) return fail(Errc::internal, "a secret of the swarm was not kept");
        return rows.front().take_text(0);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlNodes::add_token(NodeTokenEntry token, Actor actor)
{
    const auto work = [token = std::move(token), actor](SqlSession& session) { return insert(session, token, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<NodeTokenEntry>> SqlNodes::tokens()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<NodeTokenEntry>> {
        TRY(auto rows, session.run(select_tokens));
        std::vector<NodeTokenEntry> tokens;
        for (auto& row : rows) {
            TRY(auto token, token_of(row));
            tokens.push_back(std::move(token));
        }
        return tokens;
    };
    co_return co_await engine_.read(work);
}

Task<NodeTokenEntry> SqlNodes::token(std::string id)
{
    const auto work = [id = std::move(id)](SqlSession& session) -> Result<NodeTokenEntry> {
        TRY(auto rows, session.run(find_token, {id}));
        if (rows.empty()) return no_such_token();
        return token_of(rows.front());
    };
    co_return co_await engine_.read(work);
}

Task<> SqlNodes::remove_token(std::string id, Actor actor)
{
    const auto work = [id = std::move(id), actor](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(delete_token, {id}));
        if (rows.empty()) return no_such_token();
        auto event = event_by(event_type::node_token_deleted, actor);
        set_details(event, {{"id", id}, {"description", rows.front().text(0)}});
        return record_event(session, event);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlNodes::admit(NodeEntry node)
{
    const auto work = [node = std::move(node)](SqlSession& session) { return bring_in(session, node); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlNodes::renew(std::string id, Micros certified_at, Micros expires_at)
{
    const auto work = [id = std::move(id), certified_at, expires_at](SqlSession& session) -> Result<> {
        TRY(const auto rows, session.run(renew_node, {id, certified_at, expires_at}));
        if (rows.empty()) return no_such_node();
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<NodeEntry> SqlNodes::node(std::string id)
{
    const auto work = [id = std::move(id)](SqlSession& session) { return load_node(session, id); };
    co_return co_await engine_.read(work);
}

Task<NodeList> SqlNodes::nodes(std::string zone, std::string after_id, std::int64_t limit)
{
    const auto work = [zone = std::move(zone), after_id = std::move(after_id), limit](SqlSession& session) {
        return list_nodes(session, zone, after_id, limit);
    };
    co_return co_await engine_.read(work);
}

Task<> SqlNodes::remove_node(std::string id, Actor actor)
{
    const auto work = [id = std::move(id), actor](SqlSession& session) -> Result<> {
        TRY(auto rows, session.run(delete_node, {id}));
        if (rows.empty()) return no_such_node();
        return note_deleted(session, node_of(rows.front()), actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<NodeEntry>> SqlNodes::forget_nodes(Micros certified_before, std::int64_t limit, Actor actor)
{
    const auto work = [certified_before, limit, actor](SqlSession& session) -> Result<std::vector<NodeEntry>> {
        TRY(auto rows, session.run(delete_old_nodes, {certified_before, limit}));
        std::vector<NodeEntry> gone;
        for (auto& row : rows) {
            gone.push_back(node_of(row));
            CHECK(note_deleted(session, gone.back(), actor));
        }
        return gone;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<std::string>> SqlNodes::meet(std::string endpoint, Micros lifetime)
{
    const auto work = [endpoint = std::move(endpoint),
                       lifetime](SqlSession& session) -> Result<std::vector<std::string>> {
        CHECK(session.run(put_beat, {endpoint}));
        CHECK(session.run(delete_silent, {endpoint, lifetime}));
        TRY(auto rows, session.run(select_instances));
        std::vector<std::string> living;
        for (auto& row : rows) living.push_back(row.take_text(0));
        return living;
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlNodes::part(std::string endpoint)
{
    const auto work = [endpoint = std::move(endpoint)](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_instance, {endpoint}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
