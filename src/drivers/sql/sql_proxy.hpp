#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/proxy_catalog.hpp"

namespace entrepot {

// What proxy caches know, on any SqlEngine, which outlives it.
class SqlProxies final : public ProxyCatalog {
public:
    explicit SqlProxies(SqlEngine& engine) : engine_{engine} {}

    Task<ProxyProject> proxy(std::int64_t project_id) override;
    Task<std::optional<CachedTag>> cached_tag(RepositoryName repository, Tag tag) override;
    Task<> note_tag(RepositoryName repository, Tag tag, CachedTag seen) override;
    Task<std::optional<std::uint64_t>> described(RepositoryName repository, Digest digest) override;
    Task<FetchClaim> claim(FetchClaim wish, Micros now) override;
    Task<> keep(FetchClaim claim) override;
    Task<std::optional<FetchClaim>> standing(std::int64_t project_id, Digest digest) override;
    Task<> release(FetchClaim claim) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
