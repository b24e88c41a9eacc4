#include "delivery/bundle_shelf.hpp"

#include <utility>

namespace entrepot {
namespace {

// Places that the image has left stay on the list until there are so many.
constexpr std::size_t most_places = 1024;

std::size_t bytes_of(const ImageBundle& bundle) noexcept
{
    return bundle.hashes.size() + bundle.descriptor.bytes().size();
}

}  // namespace

std::optional<BundleShelf::Found> BundleShelf::find(const StoredManifest& manifest)
{
    const std::lock_guard guard{mutex_};
    const auto found = entries_.find(manifest.digest);
    if (found == entries_.end()) return std::nullopt;
    auto& entry = found->second;
    order_.splice(order_.begin(), order_, entry.turn);
    return Found{.bundle = entry.bundle, .is_whole = entry.whole_in.contains({manifest.repository_id, manifest.id})};
}

ImageBundlePtr BundleShelf::find(const SwarmId& swarm)
{
    const std::lock_guard guard{mutex_};
    const auto named = by_swarm_.find(swarm);
    if (named == by_swarm_.end()) return nullptr;
    auto& entry = entries_.at(named->second);
    order_.splice(order_.begin(), order_, entry.turn);
    return entry.bundle;
}

ImageBundlePtr BundleShelf::put(const StoredManifest& manifest, ImageBundlePtr bundle)
{
    if (bundle->repository_id != manifest.repository_id) {
        auto copy = std::make_shared<ImageBundle>(*bundle);
        copy->repository_id = manifest.repository_id;
        bundle = std::move(copy);
    }
    const std::lock_guard guard{mutex_};
    auto found = entries_.find(manifest.digest);
    if (found == entries_.end()) {
        order_.push_front(manifest.digest);
        found =
            entries_.emplace(manifest.digest, Entry{.bundle = nullptr, .whole_in = {}, .turn = order_.begin()}).first;
        by_swarm_.emplace(bundle->descriptor.id(), manifest.digest);
        bytes_ += bytes_of(*bundle);
    } else {
        order_.splice(order_.begin(), order_, found->second.turn);
    }
    auto& entry = found->second;
    entry.bundle = bundle;
    if (entry.whole_in.size() >= most_places) entry.whole_in.clear();
    entry.whole_in.insert({manifest.repository_id, manifest.id});
    while (bytes_ > most_bytes_ && order_.size() > 1) drop_oldest();
    return bundle;
}

void BundleShelf::drop_oldest()
{
    const auto found = entries_.find(order_.back());
    bytes_ -= bytes_of(*found->second.bundle);
    by_swarm_.erase(found->second.bundle->descriptor.id());
    entries_.erase(found);
    order_.pop_back();
}

}  // namespace entrepot
