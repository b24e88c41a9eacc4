#pragma once

#include "drivers/sql/sql_engine.hpp"
#include "ports/upload_catalog.hpp"

namespace entrepot {

// Upload sessions on any SqlEngine, which outlives it.
class SqlUploads final : public UploadCatalog {
public:
    explicit SqlUploads(SqlEngine& engine) : engine_{engine} {}

    Task<> begin(UploadSession session, std::int64_t most_of_user) override;
    Task<UploadSession> find(RepositoryName repository, UploadId id) override;
    Task<UploadSession> take(
        RepositoryName repository, UploadId id, std::uint64_t incoming, std::optional<Digest> becomes, Micros now
    ) override;
    Task<> advance(UploadId id, std::int64_t fence, std::uint64_t offset, std::string hash_state, Micros now) override;
    Task<> cancel(RepositoryName repository, UploadId id) override;
    Task<std::vector<UploadSession>> untouched_since(Micros before, std::int64_t limit) override;
    Task<> forget(UploadId id) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
