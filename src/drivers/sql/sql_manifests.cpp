#include "drivers/sql/sql_manifests.hpp"

#include "drivers/sql/manifest_rows.hpp"

#include <algorithm>

namespace entrepot {

namespace {

using Key = ExactCache::Key;
using Kind = ExactCache::Kind;

Key key_of(const RepositoryName& repository, const Reference& reference) noexcept
{
    const Kind kind = reference.digest() ? Kind::manifest_by_digest : Kind::manifest_by_tag;
    return Key{kind, repository.text(), reference.text()};
}

Key key_of(const RepositoryName& repository, const PageRequest& page) noexcept
{
    return Key{Kind::tag_page, repository.text(), page.last, page.limit};
}

std::size_t weight_of(const StoredManifest& manifest) noexcept
{
    return sizeof manifest + manifest.bytes.size() + manifest.media_type.size() + manifest.digest.text().size();
}

std::size_t weight_of(const NamePage& page) noexcept
{
    std::size_t sum = sizeof page;
    for (const std::string& name : page.names) sum += sizeof name + name.size();
    return sum;
}

}  // namespace

std::optional<ManifestPtr> SqlManifests::peek(const RepositoryName& repository, const Reference& reference)
{
    if (!cache_) return std::nullopt;
    return cache_->find<ManifestPtr>(key_of(repository, reference));
}

Task<ManifestPtr> SqlManifests::load(RepositoryName repository, Reference reference)
{
    const Key key = key_of(repository, reference);
    const std::uint64_t epoch = cache_ ? cache_->epoch(key) : 0;
    const auto work = [repository, reference](SqlSession& session) {
        return load_manifest(session, repository, reference);
    };
    CO_TRY(auto manifest, co_await engine_.read(work));
    if (cache_) cache_->put(key, epoch, manifest, weight_of(*manifest));
    co_return manifest;
}

Task<> SqlManifests::commit(NewManifest manifest)
{
    const std::string repository = manifest.repository.text();
    const auto shared = std::make_shared<const NewManifest>(std::move(manifest));
    WishedClaim claim{.repository = shared->repository, .id = repository + "@" + shared->digest.text()};
    claim.bytes = static_cast<std::int64_t>(shared->bytes.size());
    claim.artifacts = 1;
    claim.now = shared->actor.at;
    const auto work = [shared, id = claim.id](SqlSession& session) { return commit_manifest(session, *shared, id); };
    // A manifest pushed again under another media type changes what its digest answers, so digests cool as well then;
    // the transaction tells by `retyped`, and one that must be repeated just says it again.
    const auto retyped = std::make_shared<std::atomic<bool>>(false);
    const auto observed = [work, retyped](SqlSession& session) {
        auto change = work(session);
        if (change && *change == ManifestChange::retyped) *retyped = true;
        return change;
    };
    const auto settled = [cache = cache_, repository, retyped] {
        if (!cache) return;
        if (*retyped) {
            cache->contents_removed(repository);
        } else {
            cache->tags_changed(repository);
        }
    };
    CO_CHECK(co_await claimed_write<ManifestChange>(engine_, limited_, std::move(claim), observed, settled));
    co_return Result<>{};
}

Task<> SqlManifests::remove(RepositoryName repository, Reference reference, Actor actor)
{
    const auto work = [repository, reference, actor](SqlSession& session) {
        return remove_manifest(session, repository, reference, actor);
    };
    const auto settled = [cache = cache_, repository] {
        if (cache) cache->contents_removed(repository.text());
    };
    co_return co_await engine_.write(Durability::durable, work, settled);
}

std::optional<NamePagePtr> SqlManifests::peek_tags(const RepositoryName& repository, const PageRequest& page)
{
    if (!cache_) return std::nullopt;
    return cache_->find<NamePagePtr>(key_of(repository, page));
}

Task<NamePagePtr> SqlManifests::tags(RepositoryName repository, PageRequest page)
{
    const Key key = key_of(repository, page);
    const std::uint64_t epoch = cache_ ? cache_->epoch(key) : 0;
    const auto work = [repository, page](SqlSession& session) { return list_tags(session, repository, page); };
    CO_TRY(auto names, co_await engine_.read(work));
    auto shared = std::make_shared<const NamePage>(std::move(names));
    if (cache_) cache_->put(key, epoch, shared, weight_of(*shared));
    co_return shared;
}

Task<ReferrerPage>
SqlManifests::referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page)
{
    const auto work = [repository, subject, artifact_type, page](SqlSession& session) {
        return list_referrers(session, repository, subject, artifact_type, page);
    };
    co_return co_await engine_.read(work);
}

Task<NamePage> SqlManifests::repositories(std::optional<std::vector<std::int64_t>> projects, PageRequest page)
{
    const auto work = [projects, page](SqlSession& session) { return list_repositories(session, projects, page); };
    co_return co_await engine_.read(work);
}

Task<std::vector<TagState>> SqlManifests::tag_states(std::optional<std::vector<std::int64_t>> projects, TagRange range)
{
    const auto work = [projects, range](SqlSession& session) { return list_tag_states(session, projects, range); };
    co_return co_await engine_.read(work);
}

namespace {

// Rows are locked in the order of their ids, repositories first, so two flushes never wait for each other, nor a flush
// and a push.
constexpr SqlStatement count_artifact{
    "UPDATE artifacts SET pull_count = pull_count + $2, "
    "pulled_at = CASE WHEN pulled_at < $3 THEN $3 ELSE pulled_at END WHERE manifest_id = $1"
};

constexpr SqlStatement count_pulls{"UPDATE repositories SET pull_count = pull_count + $2, "
                                   "last_pulled = CASE WHEN last_pulled < $3 THEN $3 ELSE last_pulled END WHERE id = $1"
};

struct Sum {
    std::int64_t pulls = 0;
    Micros last = 0;
};
using Sums = std::map<std::int64_t, Sum>;

void add_to(Sums& sums, std::int64_t id, const PullCount& count)
{
    Sum& sum = sums[id];
    sum.pulls += count.pulls;
    sum.last = std::max(sum.last, count.last);
}

Result<> write_sums(SqlSession& session, const SqlStatement& statement, const Sums& sums)
{
    for (const auto& [id, sum] : sums) CHECK(session.run(statement, {id, sum.pulls, sum.last}));
    return {};
}

}  // namespace

Task<> SqlPullCounters::add(std::vector<PullCount> counts)
{
    Sums manifests;
    Sums repositories;
    for (const PullCount& count : counts) {
        add_to(manifests, count.manifest_id, count);
        add_to(repositories, count.repository_id, count);
    }
    const auto work = [manifests, repositories](SqlSession& session) -> Result<> {
        CHECK(write_sums(session, count_pulls, repositories));
        return write_sums(session, count_artifact, manifests);
    };
    co_return co_await engine_.write(Durability::process, work);
}

}  // namespace entrepot
