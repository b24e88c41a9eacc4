#include "exchange/proxy/proxy_lists.hpp"

#include "exchange/proxy/proxy_blobs.hpp"

#include <algorithm>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto budget = 2s;
constexpr std::size_t most_known = 1'000;
constexpr int most_pages = 20;
constexpr std::int64_t page_size = 1'000;

Task<NamePagePtr> read_tags(UpstreamDesk& desk, OpenProxyPtr proxy, RepositoryName upstream, PageRequest page)
{
    CO_TRY(auto listing, co_await desk.ask(proxy, [&](CopySite& site) { return site.tags(upstream, page); }));
    std::erase_if(listing.names, [](const auto& name) { return !Tag::parse(name); });
    co_return std::make_shared<const NamePage>(NamePage{std::move(listing.names), !listing.next.empty()});
}

}  // namespace

Task<std::optional<NamePagePtr>> ProxyLists::tags(OpenProxyPtr proxy, RepositoryName repository, PageRequest page)
{
    CO_TRY(auto upstream, upstream_name(*proxy, repository));
    if (!proxy->settings.allows(upstream.text())) co_return std::nullopt;
    const auto name = repository.text() + "?" + std::to_string(page.limit) + "&" + page.last;
    const auto flight =
        tags_.begin(name, [this, proxy, upstream, page] { return read_tags(desk_, proxy, upstream, page); });
    const auto outcome = co_await Flights<NamePagePtr>::wait(flight, budget);
    if (outcome && *outcome) co_return **outcome;
    co_return std::nullopt;
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
