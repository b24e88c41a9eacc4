#pragma once

#include "delivery/image_bundle.hpp"
#include "oci/digest.hpp"
#include "ports/manifest_catalog.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

namespace entrepot {

// The bundles that were asked for lately, up to so many bytes, and the last one whatever it has. Safe from any thread.
class BundleShelf {
public:
    explicit BundleShelf(std::size_t most_bytes) : most_bytes_{most_bytes} {}

    // `is_whole`: put() was told of the image in this place.
    struct Found {
        ImageBundlePtr bundle;
        bool is_whole = false;
    };
    std::optional<Found> find(const StoredManifest& manifest);
    ImageBundlePtr find(const SwarmId& swarm);
    // All blobs of the image are in the manifest's repository: as long as it is there, they stay. Answers the bundle
    // for that repository.
    ImageBundlePtr put(const StoredManifest& manifest, ImageBundlePtr bundle);

private:
    // A repository, and the manifest's row in it.
    using Place = std::pair<std::int64_t, std::int64_t>;
    struct Entry {
        ImageBundlePtr bundle;
        std::set<Place> whole_in;
        std::list<Digest>::iterator turn;
    };
    void drop_oldest();

    const std::size_t most_bytes_;
    std::mutex mutex_;
    std::size_t bytes_ = 0;
    std::map<Digest, Entry> entries_;
    std::map<SwarmId, Digest> by_swarm_;
    std::list<Digest> order_;  // the one asked for last is the first
};

}  // namespace entrepot
