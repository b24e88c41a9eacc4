#pragma once

#include "delivery/swarm_view.hpp"

#include <chrono>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// Makes pictures of what a tracker tells, each of which goes on from the one before: rates, and what has changed. Not
// safe across threads.
class SwarmPainter {
public:
    struct Subject {
        ImageBundlePtr image;
        std::vector<SwarmRepository> repositories;
        std::vector<SwarmTally> tallies;
    };

    // `time` says how long it is since the picture before; `now` is what clocks show.
    SwarmPicturePtr paint(std::vector<Subject> subjects, std::chrono::steady_clock::time_point time, Micros now);

private:
    SwarmImageView image_of(Subject subject, double seconds, Micros now) const;

    std::map<SwarmId, SwarmImageViewPtr> before_;
    std::chrono::steady_clock::time_point painted_{};
    std::uint64_t version_ = 0;
};

}  // namespace entrepot
