#pragma once

#include "core/task_group.hpp"
#include "exchange/synchronous/site_copier.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot {

// Uploads into synchronous projects that are sent on to the sites while they come: what a site has by the end is where
// its copy of the blob goes on (docs/decisions/0027-blobs-sent-on.md). Nothing of it is needed: what isn't sent on, or
// fails, is brought as a whole. Safe from any loop; never waits.
class UploadRelays {
public:
    // At once, and so many uploads at each site.
    static constexpr std::size_t most = 64;

    UploadRelays(SiteCopier& copier, const SiteCopier::Parts& parts) : copier_{copier}, parts_{parts} {}

    // So many bytes of the upload by now; few are not worth it.
    void comes(
        std::int64_t project_id,
        const RepositoryName& repository,
        DigestAlgorithm algorithm,
        const UploadId& upload,
        std::uint64_t bytes
    );
    void fails(const UploadId& upload);
    // The blob is brought to the sites from now on. False: it was not sent on.
    bool came(const UploadId& upload, const Descriptor& blob);

    asio::awaitable<void> drain();

private:
    struct Upload {
        RelayedUploadPtr relayed;
        std::vector<SiteOrder> sites;  // that it is sent on to
    };
    asio::awaitable<void> follow(std::int64_t project_id, RelayedUploadPtr relayed);
    Task<> send_on(std::int64_t project_id, RelayedUploadPtr relayed);
    asio::awaitable<void> drop_rest(Upload upload, std::vector<SiteCopier::BlobFlight> flights);
    bool begin(const RelayedUploadPtr& relayed, const std::vector<SiteOrder>& sites);
    Upload leave(const UploadId& upload, RelayedUpload::State how);

    SiteCopier& copier_;
    const SiteCopier::Parts& parts_;
    std::mutex mutex_;
    std::map<std::string, Upload> uploads_;
    TaskGroup tasks_;
};

}  // namespace entrepot
