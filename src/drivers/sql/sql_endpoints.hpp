#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/endpoint_catalog.hpp"

namespace entrepot {

// Registries elsewhere on any SqlEngine, which outlives it.
class SqlEndpoints final : public EndpointCatalog {
public:
    explicit SqlEndpoints(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<RegistryEndpoint>> list(ListQuery query) override;
    Task<RegistryEndpoint> find(std::int64_t id) override;
    Task<RegistryEndpoint> create(RegistryEndpoint endpoint, Actor actor) override;
    Task<RegistryEndpoint> change(RegistryEndpoint endpoint, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;
    Task<> note_health(std::int64_t id, EndpointHealth health) override;
    Task<std::vector<EndpointHealth>> health(std::int64_t id) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
