#pragma once

#include "swarm/descriptor/image_descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace entrepot {

// What the tracker has said of copies: how many other nodes of the zone have all of an image, and by that of its blobs.
// A blob of several images has the most that is said of any of them. What was said holds while the image's swarm is
// taken part in, during which its blobs can't go, and for a while after: that is when it is needed. Not safe across
// threads.
class ZoneCopies {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;
    // nullopt: nothing is known any more.
    using Heard = std::function<void(const Sha256& blob, std::optional<std::uint32_t> others)>;

    static constexpr std::size_t most_images = 4'096;  // more: what is the longest out of date goes

    ZoneCopies(Heard heard, Duration memory) : heard_{std::move(heard)}, memory_{memory} {}

    void said(const ImageDescriptor& image, std::uint32_t others);
    // Nobody says when it changes any more.
    void out_of_date(const SwarmId& image, Time now);
    // Forgets what has been out of date for too long.
    void look(Time now);

private:
    struct Image {
        std::vector<Sha256> blobs;
        std::uint32_t others = 0;
        std::optional<Time> since;  // it is out of date
    };

    void tell(const Sha256& blob) const;
    void forget(const SwarmId& id);
    void make_room();

    const Heard heard_;
    const Duration memory_;
    std::map<SwarmId, Image> images_;
    std::map<Sha256, std::set<SwarmId>> images_of_;  // a blob
};

}  // namespace entrepot
