#include "exchange/proxy/proxy_cache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_wait = 60s;  // for the first byte
// Smaller ones are waited for and then read like all others.
constexpr std::uint64_t small = BlobFetch::held_back;

ReferrerPage page_of(const std::vector<Referrer>& all, const std::string& artifact_type, const PageRequest& page)
{
    ReferrerPage answer;
    for (const auto& referrer : all) {
        if (referrer.digest.text() <= page.last) continue;
        if (!artifact_type.empty() && referrer.artifact_type != artifact_type) continue;
        answer.more = std::ssize(answer.referrers) == page.limit;
        if (answer.more) break;
        answer.referrers.push_back(referrer);
    }
    return answer;
}

}  // namespace

ProxyCache::ProxyCache(Needs needs, ProxyBlobs::Options options)
    : loop_{needs.loop},
      policy_{needs.policy},
      catalog_{needs.catalog},
      links_{needs.links},
      clock_{needs.clock},
      desk_{needs.catalog, needs.upstreams, needs.clock},
      blobs_{
          {.catalog = needs.catalog,
           .links = needs.links,
           .sessions = needs.sessions,
           .store = needs.store,
           .views = needs.views,
           .desk = desk_,
           .random = needs.random,
           .clock = needs.clock},
          loop_,
          options
      },
      manifests_{
          {.catalog = needs.catalog,
           .manifests = needs.manifests,
           .bytes = needs.bytes,
           .desk = desk_,
           .blobs = blobs_,
           .counters = counters_,
           .clock = needs.clock},
          loop_
      },
      lists_{desk_, needs.clock, loop_},
      thread_{[this] { loop_.run(); }}
{
}

ProxyCache::~ProxyCache()
{
    stop();
}

void ProxyCache::stop()
{
    if (!thread_.joinable()) return;
    asio::co_spawn(
        loop_,
        [this]() -> asio::awaitable<void> {
            co_await lists_.drain();
            co_await manifests_.drain();
            co_await blobs_.drain();
        },
        asio::use_future
    )
        .wait();
    work_.reset();
    loop_.stop();
    thread_.join();
}

std::int64_t ProxyCache::project_of(const RepositoryName& repository) const
{
    const auto project = policy_.project(repository.project());
    return project && project->registry_id != 0 ? project->id : 0;
}

bool ProxyCache::may_peek(const RepositoryName& repository, const Reference& reference) const
{
    const auto* tag = reference.tag();
    if (tag == nullptr) return true;
    const auto project = project_of(repository);
    if (project == 0) return true;
    const auto proxy = desk_.peek(project);
    if (!proxy || !manifests_.is_fresh(proxy->settings, repository, *tag)) return false;
    counters_.count(ProxyResult::hit);
    return true;
}

Task<ManifestPtr> ProxyCache::bring(RepositoryName repository, Reference reference)
{
    CO_TRY(auto proxy, co_await desk_.open(project_of(repository)));
    co_return co_await manifests_.bring(std::move(proxy), std::move(repository), std::move(reference));
}

Task<ProxyCache::Arriving> ProxyCache::blob(RepositoryName repository, Digest digest)
{
    CO_TRY(auto proxy, co_await desk_.open(project_of(repository)));
    CO_TRY(const auto described, co_await catalog_.described(repository, digest));
    CO_TRY(auto fetch, co_await blobs_.fetch(std::move(proxy), std::move(repository), std::move(digest), described));
    CO_TRY(const auto begun, co_await fetch->begun(longest_wait));
    if (begun.stored) co_return Arriving{};
    if (begun.size <= small) {
        CO_TRY(const bool stored, co_await fetch->stored(longest_wait));
        if (stored) co_return Arriving{};
    }
    counters_.count(ProxyResult::miss);
    co_return Arriving{std::move(fetch), begun.size, begun.attempt};
}

Task<std::uint64_t> ProxyCache::blob_size(RepositoryName repository, Digest digest)
{
    CO_TRY(const auto described, co_await catalog_.described(repository, digest));
    if (described) co_return *described;
    CO_TRY(auto arriving, co_await blob(repository, digest));
    if (!arriving.fetch) co_return co_await links_.load(std::move(repository), std::move(digest));
    co_return arriving.size;
}

asio::awaitable<std::optional<NamePagePtr>> ProxyCache::tags(RepositoryName repository, PageRequest page)
{
    auto proxy = co_await desk_.open(project_of(repository));
    if (!proxy) co_return std::nullopt;
    auto names = co_await lists_.tags(*std::move(proxy), std::move(repository), std::move(page));
    co_return names ? *std::move(names) : std::nullopt;
}

asio::awaitable<std::optional<ReferrerPage>>
ProxyCache::referrers(RepositoryName repository, Digest subject, std::string artifact_type, PageRequest page)
{
    auto proxy = co_await desk_.open(project_of(repository));
    if (!proxy) co_return std::nullopt;
    const auto all = co_await lists_.referrers(*std::move(proxy), std::move(repository), std::move(subject));
    if (!all || !*all) co_return std::nullopt;
    co_return page_of(***all, artifact_type, page);
}

void ProxyCache::add_metrics(MetricsText& text) const
{
    for (std::size_t index = 0; index < ProxyCounters::words.size(); ++index) {
        text.counter(
            "entrepot_proxy_requests_total",
            "Requests to proxy caches that memory could not answer, by how they ended.",
            counters_.count_of(index),
            {{"result", ProxyCounters::words.at(index)}}
        );
    }
    text.gauge("entrepot_proxy_fetches", "Blobs that are being fetched from upstreams.", blobs_.running());
    for (const auto& upstream : desk_.upstreams()) {
        text.counter(
            "entrepot_proxy_upstream_bytes_total",
            "Bytes that came from an upstream.",
            upstream->bytes.load(),
            {{"upstream", upstream->name}}
        );
        const auto state = upstream->breaker.state(clock_.now());
        text.gauge(
            "entrepot_proxy_breaker",
            "Whether an upstream is asked: 0 yes, 1 one probe at a time, 2 no.",
            static_cast<int>(state),
            {{"upstream", upstream->name}}
        );
    }
}

}  // namespace entrepot
