#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/tenant_catalog.hpp"

namespace entrepot {

// Tenants on any SqlEngine, which outlives them.
class SqlTenants final : public TenantCatalog {
public:
    explicit SqlTenants(SqlEngine& engine) : engine_{engine} {}

    Task<ListPage<Tenant>> list(std::optional<std::vector<std::int64_t>> only, ListQuery query) override;
    Task<Tenant> find(std::int64_t id) override;
    Task<Tenant> create(NewTenant tenant, Actor actor) override;
    Task<Tenant> change(std::int64_t id, TenantChange change, Actor actor) override;
    Task<> remove(std::int64_t id, Actor actor) override;
    Task<TenantQuota> quota(std::int64_t id) override;
    Task<> allocate(std::int64_t id, std::int64_t bytes, std::int64_t artifacts, Actor actor) override;
    Task<ListPage<TenantMember>> members(std::int64_t id, ListQuery query) override;
    Task<TenantMember> member(std::int64_t id, std::int64_t user_id) override;
    Task<> add_member(std::int64_t id, std::int64_t user_id, std::int64_t role_id, Actor actor) override;
    Task<> remove_member(std::int64_t id, std::int64_t user_id, Actor actor) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
