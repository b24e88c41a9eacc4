#include "exchange/proxy/proxy_lists.hpp"

#include "exchange/proxy/proxy_blobs.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto budget = 2s;
constexpr std::size_t most_known = 1'000;
constexpr int most_pages = 20;
constexpr std::int64_t page_size = 1'000;
constexpr int most_tag_pages = 100;
constexpr auto tags_good_for = 3s;  // so that a client's pages are those of one list

// The page after `last`, of names in order.
NamePagePtr page_of(const std::vector<std::string>& names, const PageRequest& page)
{
    auto found = std::make_shared<NamePage>();
    for (auto at = std::ranges::upper_bound(names, page.last); at != names.end(); ++at) {
        if (std::ssize(found->names) >= page.limit) {
            found->more = true;
            break;
        }
        found->names.push_back(*at);
    }
    return found;
}

}  // namespace

// Upstreams page by marks and orders of their own: their list is read whole, and paged here.
Task<std::optional<NamePagePtr>> ProxyLists::tags(OpenProxyPtr proxy, RepositoryName repository, PageRequest page)
{
    CO_TRY(auto upstream, upstream_name(*proxy, repository));
    if (!proxy->settings.allows(upstream.text())) co_return std::nullopt;
    const auto& key = repository.text();
    {
        const std::lock_guard guard{mutex_};
        const auto place = known_tags_.find(key);
        const bool is_fresh = place != known_tags_.end() && clock_.steady() - place->second.read_at < tags_good_for;
        if (is_fresh) co_return page_of(*place->second.names, page);
    }
    const auto flight = tags_.begin(key, [this, proxy, upstream, key] { return read_tags(proxy, upstream, key); });
    const auto outcome = co_await Flights<Names>::wait(flight, budget);
    if (outcome && *outcome) co_return page_of(***outcome, page);
    co_return std::nullopt;
}

Task<ProxyLists::Names> ProxyLists::read_tags(OpenProxyPtr proxy, RepositoryName upstream, std::string key)
{
    std::vector<std::string> all;
    PageRequest page{.limit = page_size, .last = {}};
    for (int count = 0; count < most_tag_pages; ++count) {
        CO_TRY(auto listing, co_await desk_.ask(proxy, [&](CopySite& site) { return site.tags(upstream, page); }));
        std::erase_if(listing.names, [](const auto& name) { return !Tag::parse(name); });
        std::ranges::move(listing.names, std::back_inserter(all));
        if (listing.next.empty()) break;
        page.last = std::move(listing.next);
    }
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    auto names = std::make_shared<const std::vector<std::string>>(std::move(all));
    const std::lock_guard guard{mutex_};
    if (known_tags_.size() >= most_known) known_tags_.clear();
    known_tags_[key] = {names, clock_.steady()};
    co_return names;
}

Task<std::optional<ProxyLists::List>>
ProxyLists::referrers(OpenProxyPtr proxy, RepositoryName repository, Digest subject)
{
    CO_TRY(auto upstream, upstream_name(*proxy, repository));
    const auto key = repository.text() + "@" + subject.text();
    std::optional<List> older;
    {
        const std::lock_guard guard{mutex_};
        const auto place = known_.find(key);
        if (place != known_.end()) {
            older = place->second.list;
            if (clock_.now() - place->second.read_at < proxy->settings.referrers_ttl) co_return older;
        }
    }
    if (!proxy->settings.allows(upstream.text())) co_return older;
    const auto flight = referrers_.begin(key, [this, proxy, upstream, subject, key] {
        return read_referrers(proxy, upstream, subject, key);
    });
    const auto outcome = co_await Flights<List>::wait(flight, budget);
    if (outcome && *outcome) co_return **outcome;
    co_return older;
}

Task<ProxyLists::List>
ProxyLists::read_referrers(OpenProxyPtr proxy, RepositoryName upstream, Digest subject, std::string key)
{
    std::vector<Referrer> all;
    PageRequest page{.limit = page_size, .last = {}};
    for (int count = 0; count < most_pages; ++count) {
        CO_TRY(auto came, co_await desk_.ask(proxy, [&](CopySite& site) {
            return site.referrers(upstream, subject, page);
        }));
        std::ranges::move(came.referrers, std::back_inserter(all));
        if (!came.more || all.empty()) break;
        page.last = all.back().digest.text();
    }
    std::ranges::sort(all, {}, [](const Referrer& referrer) { return referrer.digest.text(); });
    auto list = std::make_shared<const std::vector<Referrer>>(std::move(all));
    const std::lock_guard guard{mutex_};
    if (known_.size() >= most_known) known_.clear();
    known_[key] = {list, clock_.now()};
    co_return list;
}

asio::awaitable<void> ProxyLists::drain()
{
    co_await tags_.drain();
    co_await referrers_.drain();
}

}  // namespace entrepot
