#include "agent/zone_copies.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

void ZoneCopies::said(const ImageDescriptor& image, std::uint32_t others)
{
    if (!heard_) return;
    const auto id = image.id();
    if (!images_.contains(id)) {
        make_room();
        auto& fresh = images_[id];
        for (const auto& blob : image.blobs()) {
            if (images_of_[blob.digest].insert(id).second) fresh.blobs.push_back(blob.digest);
        }
    }
    auto& its = images_[id];
    its.others = others;
    its.since.reset();
    for (const auto& blob : its.blobs) tell(blob);
}

void ZoneCopies::out_of_date(const SwarmId& image, Time now)
{
    const auto found = images_.find(image);
    if (found != images_.end() && !found->second.since) found->second.since = now;
}

void ZoneCopies::look(Time now)
{
    std::vector<SwarmId> over;
    for (const auto& [id, image] : images_) {
        if (image.since && now - *image.since >= memory_) over.push_back(id);
    }
    for (const auto& id : over) forget(id);
}

void ZoneCopies::make_room()
{
    if (images_.size() < most_images) return;
    const auto since = [](const auto& entry) { return entry.second.since.value_or(Time::max()); };
    forget(SwarmId{std::ranges::min_element(images_, {}, since)->first});
}

void ZoneCopies::forget(const SwarmId& id)
{
    const auto gone = images_.extract(id);
    for (const auto& blob : gone.mapped().blobs) {
        images_of_[blob].erase(id);
        tell(blob);
        if (images_of_[blob].empty()) images_of_.erase(blob);
    }
}

void ZoneCopies::tell(const Sha256& blob) const
{
    std::optional<std::uint32_t> most;
    for (const auto& id : images_of_.at(blob)) {
        const auto others = images_.at(id).others;
        if (!most || others > *most) most = others;
    }
    heard_(blob, most);
}

}  // namespace entrepot
