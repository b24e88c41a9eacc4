#include "exchange/synchronous/upload_relays.hpp"

#include "core/log.hpp"
#include "exchange/copy/at_once.hpp"
#include "exchange/synchronous/upload_relay.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::chrono::seconds between_looks{1};

}  // namespace

void UploadRelays::comes(
    std::int64_t project_id,
    const RepositoryName& repository,
    DigestAlgorithm algorithm,
    const UploadId& upload,
    std::uint64_t bytes
)
{
    if (bytes < UploadRelay::shortest_piece) return;
    const auto now = parts_.clock.steady();
    const std::lock_guard lock{mutex_};
    if (const auto known = uploads_.find(upload.text); known != uploads_.end()) {
        known->second.relayed->progressed(now);
        return;
    }
    if (uploads_.size() >= most) return;
    auto relayed = std::make_shared<RelayedUpload>(repository, algorithm, upload, now);
    if (!tasks_.spawn(parts_.loop.get_executor(), follow(project_id, relayed))) return;
    uploads_.emplace(upload.text, Upload{.relayed = std::move(relayed), .sites = {}});
}

// Nobody hears of it any more.
UploadRelays::Upload UploadRelays::leave(const UploadId& upload, RelayedUpload::State how)
{
    Upload left;
    {
        const std::lock_guard lock{mutex_};
        const auto known = uploads_.find(upload.text);
        if (known == uploads_.end()) return left;
        left = std::move(known->second);
        uploads_.erase(known);
        // What begin() has added to the sites by now has a sender, and nothing is added after this.
        left.relayed->end(how);
    }
    return left;
}

void UploadRelays::fails(const UploadId& upload)
{
    (void)leave(upload, RelayedUpload::State::failed);
}

bool UploadRelays::came(const UploadId& upload, const Descriptor& blob)
{
    auto left = leave(upload, RelayedUpload::State::came);
    // Under way before the push of the manifest can ask for it: it would bring it a second time.
    std::vector<SiteCopier::BlobFlight> flights;
    for (const auto& order : left.sites) flights.push_back(copier_.begin_blob(order, left.relayed, blob));
    if (flights.empty()) return false;
    return tasks_.spawn(parts_.loop.get_executor(), drop_rest(std::move(left), std::move(flights)));
}

asio::awaitable<void> UploadRelays::drop_rest(Upload upload, std::vector<SiteCopier::BlobFlight> flights)
{
    (void)co_await at_once(upload.sites.size(), upload.sites.size(), [&](std::size_t index) -> Task<> {
        (void)co_await copier_.drop_rest(upload.sites[index], upload.relayed, flights[index]);
        co_return Result<>{};
    });
}

bool UploadRelays::begin(const RelayedUploadPtr& relayed, const std::vector<SiteOrder>& sites)
{
    const std::lock_guard lock{mutex_};
    const auto known = uploads_.find(relayed->upload().text);
    if (known == uploads_.end() || known->second.relayed != relayed) return false;
    std::vector<std::int64_t> ids;
    for (const auto& site : sites) ids.push_back(site.registry_id);
    if (!relayed->begin(ids)) return false;
    known->second.sites = sites;
    return true;
}

asio::awaitable<void> UploadRelays::follow(std::int64_t project_id, RelayedUploadPtr relayed)
{
    try {
        const auto sent = co_await send_on(project_id, relayed);
        if (!sent) log::failure(log::Level::debug, "sending a blob on", sent.error());
        // Where nobody sends it on any more, nobody begins anew with each byte that comes.
        while (relayed->comes(parts_.clock.steady())) {
            co_await relayed->bell().wait(relayed->bell().rung(), between_looks);
        }
    } catch (const std::exception& thrown) {
        log::debug("sending a blob on ended", {{"error", thrown.what()}});
    }
    // Nothing more came, or it has ended long since.
    (void)leave(relayed->upload(), RelayedUpload::State::failed);
}

Task<> UploadRelays::send_on(std::int64_t project_id, RelayedUploadPtr relayed)
{
    CO_TRY(const auto project, co_await parts_.catalog.members(project_id));
    CO_TRY(const auto view, co_await parts_.views.view(relayed->upload()));
    std::vector<SiteOrder> sites;
    for (const auto& site : project.sites) sites.push_back(order_of(project, site));
    if (project.role != SiteRole::home || !begin(relayed, sites)) co_return Result<>{};
    co_return co_await at_once(sites.size(), sites.size(), [&](std::size_t index) -> Task<> {
        co_await copier_.follow(sites[index], relayed, view);
        co_return Result<>{};
    });
}

asio::awaitable<void> UploadRelays::drain()
{
    (void)co_await tasks_.drain(std::chrono::seconds{2});
}

}  // namespace entrepot
