#pragma once

#include "delivery/image_bundles.hpp"
#include "ports/blob_store.hpp"
#include "swarm/net/chunk_stores.hpp"

#include <boost/asio/thread_pool.hpp>

#include <map>
#include <vector>

namespace entrepot {

// Chunks of the registry's own blobs, for nodes. One loop's.
class SeedChunks final : public PeerChunkSource {
public:
    // `reading`: where files are read.
    SeedChunks(BlobReader& blobs, asio::thread_pool& reading) : blobs_{blobs}, reading_{reading} {}

    void add(ImageBundlePtr image);
    void remove(const SwarmId& image);

    Task<> read(SwarmId image, ChunkIndex chunk, std::span<std::byte> into) override;

private:
    struct Served {
        ImageBundlePtr image;
        std::vector<std::optional<BlobContent>> blobs;  // those read from stay open as long as the image is served
    };
    std::map<SwarmId, Served> served_;
    BlobReader& blobs_;
    asio::thread_pool& reading_;
};

}  // namespace entrepot
