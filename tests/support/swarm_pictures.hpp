#pragma once

#include "delivery/swarm_view.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// So many nodes of a zone, with a right from a repository, each as far as `percent` says; they have received a thousand
// bytes each from their zone.
inline SwarmGroup group_of(std::uint64_t right, std::string zone, std::uint32_t members, std::size_t percent)
{
    SwarmGroup group;
    group.tally.right = right;
    group.tally.zone = std::move(zone);
    group.tally.members = members;
    group.tally.percents[percent] = members;
    group.tally.received.zone = std::uint64_t{1000} * members;
    group.rate = std::uint64_t{10} * members;
    return group;
}

inline SwarmImageView
image_view(std::uint8_t number, std::vector<SwarmRepository> repositories, std::vector<SwarmGroup> groups)
{
    SwarmImageView image;
    image.swarm.bytes[0] = number;
    image.manifest.bytes[0] = number;
    image.size = 1'000;
    image.pieces = 4;
    image.begun = 1'790'000'000'000'000;
    image.repositories = std::move(repositories);
    image.groups = std::move(groups);
    return image;
}

inline SwarmPicturePtr picture_of(std::vector<SwarmImageView> images)
{
    auto picture = std::make_shared<SwarmPicture>();
    for (auto& image : images) picture->images.push_back(std::make_shared<const SwarmImageView>(std::move(image)));
    return picture;
}

inline SwarmMember member_of(std::string name, std::string zone, std::uint64_t right, std::uint16_t progress)
{
    SwarmMember member;
    member.name = std::move(name);
    member.zone = std::move(zone);
    member.right = right;
    member.progress = progress;
    member.heard = 1'000 * swarm_second;
    member.part.since = 990 * swarm_second;
    member.part.received.zone = progress;
    return member;
}

inline SwarmRollPtr roll_of(std::vector<SwarmMember> members)
{
    auto roll = std::make_shared<SwarmRoll>();
    roll->taken = 1'000 * swarm_second;
    roll->at = 1'790'000'000'000'000;
    roll->members = std::move(members);
    return roll;
}

}  // namespace entrepot
