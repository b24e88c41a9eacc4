#include "delivery/swarm_painter.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

// Nodes report once a second, and not all at the same time: half of each second's bytes count at once.
std::uint64_t smoothed(std::uint64_t before, double latest) noexcept
{
    return static_cast<std::uint64_t>((static_cast<double>(before) + latest) / 2);
}

const SwarmGroup* find(const SwarmImageViewPtr& image, const SwarmTally& tally) noexcept
{
    if (!image) return nullptr;
    const auto same = [&](const SwarmGroup& group) {
        return group.tally.right == tally.right && group.tally.zone == tally.zone;
    };
    const auto found = std::ranges::find_if(image->groups, same);
    return found == image->groups.end() ? nullptr : &*found;
}

}  // namespace

SwarmImageView SwarmPainter::image_of(Subject subject, double seconds, Micros now) const
{
    const auto& descriptor = subject.image->descriptor;
    const auto known = before_.find(descriptor.id());
    const auto before = known == before_.end() ? nullptr : known->second;
    SwarmImageView image;
    image.swarm = descriptor.id();
    image.manifest = descriptor.manifest();
    image.platform = descriptor.platform();
    image.size = descriptor.layout().bytes();
    image.pieces = descriptor.layout().pieces();
    image.begun = before ? before->begun : now;
    image.repositories = std::move(subject.repositories);
    for (auto& tally : subject.tallies) {
        SwarmGroup group;
        if (const auto* const earlier = find(before, tally); earlier != nullptr && seconds > 0) {
            const auto was = earlier->tally.received.all();
            // Less than before: the nodes have come anew.
            const auto more = tally.received.all() - std::min(was, tally.received.all());
            group.rate = smoothed(earlier->rate, static_cast<double>(more) / seconds);
        }
        group.tally = std::move(tally);
        image.groups.push_back(std::move(group));
    }
    const bool same = before && before->repositories == image.repositories && before->groups == image.groups;
    image.version = same ? before->version : version_;
    return image;
}

SwarmPicturePtr
SwarmPainter::paint(std::vector<Subject> subjects, std::chrono::steady_clock::time_point time, Micros now)
{
    ++version_;
    const auto seconds = version_ == 1 ? 0 : std::chrono::duration<double>{time - painted_}.count();
    painted_ = time;
    auto picture = std::make_shared<SwarmPicture>();
    picture->version = version_;
    picture->taken = now;
    std::map<SwarmId, SwarmImageViewPtr> after;
    for (auto& subject : subjects) {
        const auto id = subject.image->descriptor.id();
        auto image = std::make_shared<const SwarmImageView>(image_of(std::move(subject), seconds, now));
        after.emplace(id, image);
        picture->images.push_back(std::move(image));
    }
    std::ranges::sort(picture->images, {}, [](const auto& image) { return std::pair{-image->begun, image->swarm}; });
    before_ = std::move(after);
    return picture;
}

}  // namespace entrepot
