#pragma once

#include "core/task.hpp"
#include "delivery/image_bundle.hpp"
#include "oci/names.hpp"
#include "ports/blob_catalog.hpp"
#include "ports/blob_store.hpp"
#include "ports/chunk_catalog.hpp"
#include "ports/manifest_catalog.hpp"

#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <memory>

namespace entrepot {

// Bundles of images that are here, from the catalog where their blobs were hashed before, else from the blobs' bytes,
// once however many ask. Those asked for lately stay in memory (up to `most_bytes`). Safe from any loop.
class ImageBundles {
public:
    static constexpr std::size_t most_bytes = std::size_t{64} << 20U;

    // `links`: which repository holds which blob. A manifest may name blobs that its repository does not hold (a sparse
    // image), and who may pull it has no right to them. `hashing`: where blobs are read and hashed.
    ImageBundles(
        ManifestCatalog& manifests,
        BlobCatalog& links,
        BlobReader& blobs,
        ChunkCatalog& chunks,
        asio::thread_pool& hashing
    );
    ~ImageBundles();

    // The caller's right to the repository has been checked. manifest_unknown, name_unknown; unsupported: no image, or
    // none that a descriptor can describe; blob_unknown: a blob of it is not here (a sparse image); corrupt: not as it
    // was stored; unavailable.
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
