#include "agent/passed_manifests.hpp"

#include "agent/served_image.hpp"
#include "core/bytes.hpp"
#include "oci/manifest.hpp"
#include "oci/media_type.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <algorithm>
#include <iterator>

namespace entrepot {

void PassedManifests::erase(Entries::iterator entry)
{
    for (const auto& blob : entry->blobs) {
        const auto place = by_blob_.find(Key{entry->key.first, blob});
        std::erase(place->second, entry->key.second);
        if (place->second.empty()) by_blob_.erase(place);
    }
    blobs_ -= entry->blobs.size();
    by_manifest_.erase(entry->key);
    entries_.erase(entry);
}

void PassedManifests::passed(const RepositoryName& repository, std::string_view media_type, std::string_view bytes)
{
    const auto type = MediaType::of_content_type(media_type);
    if (!type || !Manifest::is_understood(type->text()) || media::is_index(type->text())) return;
    const auto manifest = Manifest::parse(type->text(), bytes);
    if (!manifest) return;
    Entry entry{.key = {repository.text(), sha256_of(as_bytes(bytes))}, .blobs = {}};
    for (const auto& blob : manifest->required_blobs()) {
        const auto hash = sha256_of_digest(blob.digest);
        if (hash) entry.blobs.push_back(*hash);
    }
    if (entry.blobs.empty() || entry.blobs.size() > most_blobs) return;

    const std::lock_guard guard{mutex_};
    if (const auto known = by_manifest_.find(entry.key); known != by_manifest_.end()) erase(known->second);
    for (const auto& blob : entry.blobs) by_blob_[Key{entry.key.first, blob}].push_back(entry.key.second);
    blobs_ += entry.blobs.size();
    entries_.push_front(std::move(entry));
    by_manifest_[entries_.front().key] = entries_.begin();
    while (entries_.size() > most_manifests || blobs_ > most_blobs) erase(std::prev(entries_.end()));
}

std::optional<Sha256> PassedManifests::image_with(const RepositoryName& repository, const Sha256& blob) const
{
    const std::lock_guard guard{mutex_};
    const auto place = by_blob_.find(Key{repository.text(), blob});
    return place == by_blob_.end() ? std::nullopt : std::optional{place->second.back()};
}

}  // namespace entrepot
