#pragma once

#include "drivers/sql/claimed_write.hpp"
#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/blob_catalog.hpp"

namespace entrepot {

// Blob links on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlBlobs final : public BlobCatalog {
public:
    SqlBlobs(SqlEngine& engine, ExactCache* cache, LimitedProjects& limited)
        : engine_{engine}, cache_{cache}, limited_{limited}
    {
    }

    std::optional<std::uint64_t> peek(const RepositoryName& repository, const Digest& digest) override;
    Task<std::uint64_t> load(RepositoryName repository, Digest digest) override;
    std::optional<std::uint64_t> peek_promised(const RepositoryName& repository, const Digest& digest) override;
    Task<std::uint64_t> promise(RepositoryName repository, Digest digest, Micros renewed_before, Actor actor) override;
    Task<BlobLook> look(Digest digest) override;
    Task<Arrived> arrive(Arrival arrival) override;
    Task<std::uint64_t> mount(RepositoryName into, RepositoryName from, Digest digest, Actor actor) override;
    Task<std::vector<RepositoryName>> holders(Digest digest, std::int64_t limit) override;
    Task<> remove(RepositoryName repository, Digest digest, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
    LimitedProjects& limited_;
};

}  // namespace entrepot
