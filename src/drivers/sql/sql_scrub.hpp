#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/scrub_catalog.hpp"

namespace entrepot {

// Scrubs on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlScrub final : public ScrubCatalog {
public:
    SqlScrub(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<std::vector<KnownBlob>> blobs(std::string after, std::int64_t limit) override;
    Task<std::optional<KnownBlob>> blob(Digest digest) override;
    Task<std::vector<UploadId>> known_uploads(std::vector<UploadId> ids) override;
    Task<bool> lose(NewFinding finding, Actor actor) override;
    Task<bool> restore(Digest digest, std::int64_t sweeps, std::string by, Actor actor) override;
    Task<std::uint64_t> adopt(Digest digest, std::uint64_t size, std::int64_t sweeps, Actor actor) override;
    Task<> report(std::vector<NewFinding> findings, Actor actor) override;
    Task<> close(std::vector<std::string> subjects, FindingState state, Actor actor) override;
    Task<> finish(Micros began, bool verified, std::string summary, Actor actor) override;
    Task<ListPage<Finding>> findings(ListQuery query) override;
    Task<std::vector<OpenFindings>> open_findings() override;
    Task<std::uint64_t> forget(Micros closed_before) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
