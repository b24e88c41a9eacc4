#pragma once

#include "drivers/sql/claimed_write.hpp"
#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/manifest_catalog.hpp"

namespace entrepot {

// Manifests, tags, referrers and lists on any SqlEngine. `cache` is null where other processes write too.
// Engine and cache outlive it.
class SqlManifests final : public ManifestCatalog {
public:
    SqlManifests(SqlEngine& engine, ExactCache* cache, LimitedProjects& limited)
        : engine_{engine}, cache_{cache}, limited_{limited}
    {
    }

    std::optional<ManifestPtr> peek(const RepositoryName& repository, const Reference& reference) override;
    Task<ManifestPtr> load(RepositoryName repository, Reference reference) override;
    Task<> commit(NewManifest manifest) override;
    Task<> remove(RepositoryName repository, Reference reference, Actor actor) override;
    std::optional<NamePagePtr> peek_tags(const RepositoryName& repository, const PageRequest& page) override;
    Task<NamePagePtr> tags(RepositoryName repository, PageRequest page) override;
    Task<ReferrerPage>
    referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page) override;
    Task<NamePage> repositories(std::optional<std::vector<std::int64_t>> projects, PageRequest page) override;
    Task<std::vector<TagState>> tag_states(std::optional<std::vector<std::int64_t>> projects, TagRange range) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
    LimitedProjects& limited_;
};

class SqlPullCounters final : public PullCounters {
public:
    explicit SqlPullCounters(SqlEngine& engine) : engine_{engine} {}
    Task<> add(std::vector<PullCount> counts) override;

private:
    SqlEngine& engine_;
};

}  // namespace entrepot
