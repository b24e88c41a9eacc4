#include "drivers/sql/sql_endpoints.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"
#include "drivers/sql/tenant_rows.hpp"

namespace entrepot {
namespace {

#define ENDPOINT_COLUMNS                                                                                         \
    "e.id, e.name, e.description, e.type, e.url, e.credential_type, e.access_key, e.access_secret, e.insecure, " \
    "e.ca_certificate, e.certificate_pin, e.token_host, e.bytes_per_second, e.requests_at_once, e.tenant_id, "   \
    "e.status, e.status_detail, e.checked_at, e.created_at, e.updated_at, e.version"
constexpr SqlStatement find_endpoint{"SELECT " ENDPOINT_COLUMNS " FROM registries e WHERE e.id = $1"};
constexpr const char* endpoint_columns = ENDPOINT_COLUMNS;
#undef ENDPOINT_COLUMNS

constexpr ListColumn endpoint_fields[] = {
    {"id", "e.id", ListColumn::Type::integer},
    {"name", "e.name"},
    {"url", "e.url"},
    {"type", "e.type"},
    {"status", "e.status"},
    {"tenant_id", "e.tenant_id", ListColumn::Type::integer},
    {"check_time", "e.checked_at", ListColumn::Type::time},
    {"creation_time", "e.created_at", ListColumn::Type::time},
    {"update_time", "e.updated_at", ListColumn::Type::time},
};

constexpr SqlStatement insert_endpoint{
    "INSERT INTO registries (name, description, type, url, credential_type, access_key, access_secret, insecure, "
    "ca_certificate, certificate_pin, token_host, bytes_per_second, requests_at_once, tenant_id, status, "
    "status_detail, checked_at, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
    "$11, $12, $13, $14, 'unknown', '', 0, $15, $15, 1) ON CONFLICT (name) DO NOTHING RETURNING id"
};
constexpr SqlStatement lock_endpoint{"SELECT name, tenant_id FROM registries WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement find_same_name{"SELECT id FROM registries WHERE name = $1 AND id <> $2"};
constexpr SqlStatement update_endpoint{
    "UPDATE registries SET name = $2, description = $3, url = $4, credential_type = $5, access_key = $6, "
    "access_secret = $7, insecure = $8, ca_certificate = $9, certificate_pin = $10, token_host = $11, "
    "bytes_per_second = $12, requests_at_once = $13, updated_at = $14, version = version + 1 WHERE id = $1"
};
constexpr SqlStatement find_user_policy{
    "SELECT name FROM replication_policies WHERE source_id = $1 OR target_id = $1 ORDER BY id LIMIT 1"
};
constexpr SqlStatement find_user_project{"SELECT name FROM projects WHERE registry_id = $1 ORDER BY id LIMIT 1"};
constexpr SqlStatement find_synchronous_project{
    "SELECT p.name FROM synchronised_sites s JOIN projects p ON p.id = s.project_id WHERE s.registry_id = $1 "
    "ORDER BY p.id LIMIT 1"
};
constexpr SqlStatement delete_endpoint{"DELETE FROM registries WHERE id = $1"};

constexpr SqlStatement lock_health{"SELECT status, status_detail FROM registries WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement update_health{
    "UPDATE registries SET status = $2, status_detail = $3, checked_at = $4 WHERE id = $1"
};
constexpr SqlStatement insert_health{
    "INSERT INTO registry_health (registry_id, at, status, detail) VALUES ($1, $2, $3, $4)"
};
constexpr SqlStatement delete_old_health{
    "DELETE FROM registry_health WHERE registry_id = $1 AND id <= COALESCE((SELECT h.id FROM registry_health h "
    "WHERE h.registry_id = $1 ORDER BY h.id DESC LIMIT 1 OFFSET $2), 0)"
};
constexpr SqlStatement select_health{
    "SELECT at, status, detail FROM registry_health WHERE registry_id = $1 ORDER BY id DESC LIMIT $2"
};

constexpr std::int64_t most_history = 200;

std::unexpected<Error> no_such_endpoint()
{
    return fail(Errc::not_found, "there is no such registry endpoint");
}

std::unexpected<Error> name_taken(const RegistryEndpoint& endpoint)
{
    return fail(Errc::conflict, "there is a registry endpoint \"" + endpoint.name + "\" already");
}

RegistryEndpoint endpoint_of(SqlRow& row)
{
    RegistryEndpoint endpoint;
    endpoint.id = row.integer(0);
    endpoint.name = row.take_text(1);
    endpoint.description = row.take_text(2);
    endpoint.type = row.take_text(3);
    endpoint.url = row.take_text(4);
    endpoint.credential_type = row.take_text(5);
    endpoint.access_key = row.take_text(6);
    endpoint.access_secret = row.take_text(7);
    endpoint.insecure = row.integer(8) != 0;
    endpoint.ca_certificate = row.take_text(9);
    endpoint.certificate_pin = row.take_text(10);
    endpoint.token_host = row.take_text(11);
    endpoint.limits.bytes_per_second = row.integer(12);
    endpoint.limits.requests_at_once = static_cast<std::int32_t>(row.integer(13));
    endpoint.tenant_id = row.integer(14);
    endpoint.status = row.take_text(15);
    endpoint.status_detail = row.take_text(16);
    endpoint.checked_at = row.integer(17);
    endpoint.created_at = row.integer(18);
    endpoint.updated_at = row.integer(19);
    endpoint.version = row.integer(20);
    return endpoint;
}

Result<RegistryEndpoint> load(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(find_endpoint, {id}));
    if (rows.empty()) return no_such_endpoint();
    return endpoint_of(rows.front());
}

Result<RegistryEndpoint> create_endpoint(SqlSession& session, const RegistryEndpoint& endpoint, const Actor& actor)
{
    if (endpoint.tenant_id != 0) CHECK(lock_tenant(session, endpoint.tenant_id));
    TRY(const auto rows,
        session.run(
            insert_endpoint,
            {endpoint.name,
             endpoint.description,
             endpoint.type,
             endpoint.url,
             endpoint.credential_type,
             endpoint.access_key,
             endpoint.access_secret,
             std::int64_t{endpoint.insecure},
             endpoint.ca_certificate,
             endpoint.certificate_pin,
             endpoint.token_host,
             endpoint.limits.bytes_per_second,
             std::int64_t{endpoint.limits.requests_at_once},
             endpoint.tenant_id,
             actor.at}
        ));
    if (rows.empty()) return name_taken(endpoint);
    const auto id = rows.front().integer(0);
    CHECK(record_in_tenant(session, event_type::registry_created, endpoint.tenant_id, id, endpoint.name, actor));
    return load(session, id);
}

Result<RegistryEndpoint> change_endpoint(SqlSession& session, const RegistryEndpoint& endpoint, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_endpoint, {endpoint.id}));
    if (locked.empty()) return no_such_endpoint();
    TRY(const auto same, session.run(find_same_name, {endpoint.name, endpoint.id}));
    if (!same.empty()) return name_taken(endpoint);
    CHECK(session.run(
        update_endpoint,
        {endpoint.id,
         endpoint.name,
         endpoint.description,
         endpoint.url,
         endpoint.credential_type,
         endpoint.access_key,
         endpoint.access_secret,
         std::int64_t{endpoint.insecure},
         endpoint.ca_certificate,
         endpoint.certificate_pin,
         endpoint.token_host,
         endpoint.limits.bytes_per_second,
         std::int64_t{endpoint.limits.requests_at_once},
         actor.at}
    ));
    const auto tenant_id = locked.front().integer(1);
    CHECK(record_in_tenant(session, event_type::registry_updated, tenant_id, endpoint.id, endpoint.name, actor));
    return load(session, endpoint.id);
}

Result<> remove_endpoint(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(const auto locked, session.run(lock_endpoint, {id}));
    if (locked.empty()) return no_such_endpoint();
    TRY(const auto policies, session.run(find_user_policy, {id}));
    if (!policies.empty()) {
        return fail(
            Errc::precondition_failed, "the replication policy \"" + policies.front().text(0) + "\" uses this endpoint"
        );
    }
    TRY(const auto projects, session.run(find_user_project, {id}));
    if (!projects.empty()) {
        return fail(Errc::precondition_failed, "the project " + projects.front().text(0) + " caches this endpoint");
    }
    TRY(const auto synchronous, session.run(find_synchronous_project, {id}));
    if (!synchronous.empty()) {
        return fail(
            Errc::precondition_failed, "the synchronous project " + synchronous.front().text(0) + " uses this endpoint"
        );
    }
    CHECK(session.run(delete_endpoint, {id}));
    const SqlRow& row = locked.front();
    return record_in_tenant(session, event_type::registry_deleted, row.integer(1), id, row.text(0), actor);
}

Result<> add_health(SqlSession& session, std::int64_t id, const EndpointHealth& health)
{
    TRY(const auto before, session.run(lock_health, {id}));
    if (before.empty()) return {};
    const bool differs = before.front().text(0) != health.status || before.front().text(1) != health.detail;
    CHECK(session.run(update_health, {id, health.status, health.detail, health.at}));
    if (!differs) return {};
    CHECK(session.run(insert_health, {id, health.at, health.status, health.detail}));
    CHECK(session.run(delete_old_health, {id, most_history}));
    return {};
}

Result<std::vector<EndpointHealth>> history_of(SqlSession& session, std::int64_t id)
{
    TRY(const auto found, session.run(find_endpoint, {id}));
    if (found.empty()) return no_such_endpoint();
    TRY(auto rows, session.run(select_health, {id, most_history}));
    std::vector<EndpointHealth> history;
    for (auto& row : rows) {
        history.push_back({.at = row.integer(0), .status = row.take_text(1), .detail = row.take_text(2)});
    }
    return history;
}

}  // namespace

Task<ListPage<RegistryEndpoint>> SqlEndpoints::list(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) -> Result<ListPage<RegistryEndpoint>> {
        ListStatement statement{endpoint_columns, "registries e", endpoint_fields};
        CHECK(statement.apply(query));
        statement.order_by("e.id");
        return statement.list(session, endpoint_of);
    };
    co_return co_await engine_.read(work);
}

Task<RegistryEndpoint> SqlEndpoints::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return load(session, id); };
    co_return co_await engine_.read(work);
}

Task<RegistryEndpoint> SqlEndpoints::create(RegistryEndpoint endpoint, Actor actor)
{
    const auto work = [endpoint = std::move(endpoint), actor](SqlSession& session) {
        return create_endpoint(session, endpoint, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<RegistryEndpoint> SqlEndpoints::change(RegistryEndpoint endpoint, Actor actor)
{
    const auto work = [endpoint = std::move(endpoint), actor](SqlSession& session) {
        return change_endpoint(session, endpoint, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlEndpoints::remove(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) { return remove_endpoint(session, id, actor); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlEndpoints::note_health(std::int64_t id, EndpointHealth health)
{
    const auto work = [id, health = std::move(health)](SqlSession& session) { return add_health(session, id, health); };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<EndpointHealth>> SqlEndpoints::health(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return history_of(session, id); };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
