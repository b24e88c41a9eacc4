#pragma once

#include "core/flights.hpp"
#include "core/random.hpp"
#include "core/task.hpp"
#include "exchange/copy/copy_run.hpp"
#include "exchange/synchronous/relayed_upload.hpp"
#include "exchange/synchronous/turns.hpp"
#include "ports/home_sites.hpp"
#include "ports/push_copies.hpp"
#include "ports/synchronous_catalog.hpp"
#include "ports/upload_view.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace entrepot {

// One site of one project, as its home writes to it.
struct SiteOrder {
    std::int64_t project_id = 0;
    std::int64_t registry_id = 0;
    std::string registry;  // its name, for people
    std::string there;     // the project's name at the site
    HomeClaim claim;
    std::int64_t creator_id = 0;  // in whose name this site is read
    bool took_part = false;       // as SynchronousSite
};

SiteOrder order_of(const Synchronisation& project, const SynchronousSite& site);

// Brings what is here to the sites of synchronous projects. All but the constructor runs on one loop with one thread.
// Beside what it says each may answer what the sites do; conflict: another site is the home (it is noted, and pushes
// here are refused from then on).
class SiteCopier {
public:
    struct Parts {
        asio::io_context& loop;
        SynchronousCatalog& catalog;
        HomeSites& sites;
        std::function<std::shared_ptr<CopySite>(std::int64_t user_id)> make_local;  // this registry
        std::function<Task<>()> catch_up;                                           // AccessDirectory::catch_up()
        UploadViews& views;
        asio::thread_pool& reading;  // files
        const Clock& clock;
        Random& random;
    };
    explicit SiteCopier(Parts parts) : parts_{std::move(parts)}, blobs_{parts_.loop} {}

    // Sees to it that the site knows its home.
    Task<> announce(SiteOrder order);
    // A blob, once however many ask at the same time.
    Task<> blob(SiteOrder order, RepositoryName repository, Descriptor blob);
    // Sends on what comes of an upload, until it ends, and hands over what the site has of it, whatever happens.
    asio::awaitable<void> follow(SiteOrder order, RelayedUploadPtr relayed, std::shared_ptr<UploadView> view);
    // Brings a blob, going on with what was handed over of the upload that has become it. Safe from any thread.
    using BlobFlight = Flights<bool>::FlightPtr;
    BlobFlight begin_blob(const SiteOrder& order, const RelayedUploadPtr& relayed, const Descriptor& blob);
    // When that has ended: ends what was handed over and it has not taken, since it brought the blob another way.
    Task<> drop_rest(SiteOrder order, RelayedUploadPtr relayed, BlobFlight flight);
    // All that a manifest names, and the manifest by its digest.
    Task<> content(SiteOrder order, CopiedPushPtr push);
    // What the reference leads to here, there too: content, tag, or that it is gone. What was noted of it is settled.
    Task<> reference(SiteOrder order, RepositoryName repository, Reference reference);
    // Notes the tags that only the site has, so that they go.
    Task<> compare(SiteOrder order);

    asio::awaitable<void> drain();

private:
    // What one piece of work needs: the two ends and a run between them.
    struct Trip {
        std::shared_ptr<CopySite> here;
        std::shared_ptr<CopySite> there;
        std::optional<CopyRun> run;
    };
    Task<> check_home(const SiteOrder& order);
    Task<std::unique_ptr<Trip>> open(SiteOrder order);
    BlobFlight
    fly(const SiteOrder& order, const RepositoryName& repository, const Descriptor& blob, RelayedUploadPtr relayed);
    Task<> send_blob(SiteOrder order, RepositoryName repository, Descriptor blob, RelayedUploadPtr relayed);
    Task<> relay(SiteOrder order, RelayedUploadPtr relayed, std::shared_ptr<UploadView> view);
    Task<> send_content(SiteOrder order, CopiedPushPtr push);
    Task<std::string> send_reference(SiteOrder order, RepositoryName repository, Reference reference);
    Task<> judged(SiteOrder order, Result<> outcome);
    Task<> compare_tags(SiteOrder order, RepositoryName there);

    const Parts parts_;
    std::atomic<bool> stopping_{false};
    Turns turns_;
    std::mutex mutex_;
    std::set<std::string> announced_;                                // project, site and epoch
    std::map<std::int64_t, std::shared_ptr<AdaptiveLimit>> limits_;  // by endpoint
    Flights<bool> blobs_;
};

}  // namespace entrepot
