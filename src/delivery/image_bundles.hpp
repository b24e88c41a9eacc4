#pragma once

#include "core/task.hpp"
#include "oci/names.hpp"
#include "ports/blob_store.hpp"
#include "ports/chunk_catalog.hpp"
#include "ports/manifest_catalog.hpp"
#include "swarm/descriptor/image_descriptor.hpp"

#include <boost/asio/thread_pool.hpp>

#include <memory>
#include <string>

namespace entrepot {

// What nodes need to know of an image before its chunks: its descriptor, and the hashes of all chunks, 32 bytes each.
struct ImageBundle {
    ImageDescriptor descriptor;
    std::string hashes;
    std::int64_t repository_id = 0;  // that it was asked of last
};
using ImageBundlePtr = std::shared_ptr<const ImageBundle>;

// Bundles of images that are here, from the catalog where their blobs were hashed before, else from the blobs' bytes,
// once however many ask. Those asked for lately stay in memory (up to `most_bytes`). Safe from any loop.
class ImageBundles {
public:
    static constexpr std::size_t most_bytes = std::size_t{64} << 20U;

    // `hashing`: where blobs are read and hashed.
    ImageBundles(ManifestCatalog& manifests, BlobReader& blobs, ChunkCatalog& chunks, asio::thread_pool& hashing);
    ~ImageBundles();

    // The caller's right to the repository has been checked. manifest_unknown, name_unknown; unsupported: no image, or
    // none that a descriptor can describe; blob_unknown: a blob of it is not here (a sparse image); unavailable.
    Task<ImageBundlePtr> load(RepositoryName repository, Digest manifest);
    // From memory; null: nobody has asked for it lately.
    ImageBundlePtr find(const SwarmId& swarm) const;
    // Ends what is being hashed.
    asio::awaitable<void> drain();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace entrepot
