#pragma once

#include "exchange/proxy/proxy_blobs.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace entrepot {

// A fetch as its writer sees it; on the loop of fetches alone.
struct ProxyBlobs::Run {
    OpenProxyPtr proxy;
    RepositoryName upstream;  // its name there
    std::shared_ptr<BlobFetch> fetch;
    std::optional<std::uint64_t> size{};
    FetchClaim claim;
    std::chrono::steady_clock::time_point claimed_at{};
    bool owns = false;  // the claim
    bool lost = false;  // it has changed hands
    bool over = false;
    std::unique_ptr<ByteSource> source{};
    UploadSession session;
    std::unique_ptr<BlobUpload> upload{};
    std::shared_ptr<UploadView> view{};
    bool has_room = true;  // else it is passed on and not stored
    bool passed = false;   // another instance had no room for it
    std::uint64_t written = 0;
    std::uint64_t saved = 0;  // of it, in the session
    int breaks = 0;

    const RepositoryName& repository() const noexcept { return fetch->repository(); }
    const Digest& digest() const noexcept { return fetch->digest(); }
};

}  // namespace entrepot
