#pragma once

#include "oci/names.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace entrepot {

// Which images' manifests went through here lately, so that the request for a blob tells which image is pulled. Says
// nothing about anybody's right to it. Bounded; safe from any thread.
class PassedManifests {
public:
    static constexpr std::size_t most_manifests = 512;
    static constexpr std::size_t most_blobs = 64 * 1024;  // of all of them

    // What the registry answered to a GET of a manifest; ignored unless it is that of an image.
    void passed(const RepositoryName& repository, std::string_view media_type, std::string_view bytes);
    // The image that was asked for last among those of the repository that have this blob.
    std::optional<Sha256> image_with(const RepositoryName& repository, const Sha256& blob) const;

private:
    using Key = std::pair<std::string, Sha256>;  // repository, manifest or blob
    struct Entry {
        Key key;
        std::vector<Sha256> blobs;
    };
    using Entries = std::list<Entry>;  // the last passed first

    void erase(Entries::iterator entry);

    mutable std::mutex mutex_;
    Entries entries_;
    std::map<Key, Entries::iterator> by_manifest_;
    std::map<Key, std::vector<Sha256>> by_blob_;  // manifests, the last passed at the end
    std::size_t blobs_ = 0;
};

}  // namespace entrepot
