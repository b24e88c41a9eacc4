#pragma once

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "delivery/image_bundle.hpp"
#include "swarm/tracker/swarm_tallies.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot {

struct SwarmRepository {
    std::uint64_t id = 0;
    std::string name{};  // in full; empty: not known yet

    bool operator==(const SwarmRepository&) const noexcept = default;
};

// Nodes of one zone that have their right to an image from one repository: SwarmTally::right is that one's id.
struct SwarmGroup {
    SwarmTally tally{};
    std::uint64_t rate = 0;  // bytes per second that they receive, over the last seconds

    bool operator==(const SwarmGroup&) const noexcept = default;
};

// One image that this instance tracks, at one moment.
struct SwarmImageView {
    SwarmId swarm{};
    Sha256 manifest{};
    std::string platform{};  // empty: the image names none
    std::uint64_t size = 0;  // bytes
    std::uint32_t pieces = 0;
    Micros begun = 0;                             // when this instance began to serve it
    std::vector<SwarmRepository> repositories{};  // it was asked for by
    std::vector<SwarmGroup> groups{};
    std::uint64_t version = 0;  // of the picture in which anything of it changed last

    const std::string* repository(std::uint64_t id) const noexcept;
};
using SwarmImageViewPtr = std::shared_ptr<const SwarmImageView>;

// All images that this instance tracks, those that began last first. Soft: another instance has others, and a new start
// begins with none.
struct SwarmPicture {
    std::uint64_t version = 0;  // one more each second
    Micros taken = 0;
    std::vector<SwarmImageViewPtr> images{};
};
using SwarmPicturePtr = std::shared_ptr<const SwarmPicture>;

// The nodes of one swarm at one moment.
struct SwarmRoll {
    SwarmTime taken = 0;  // of the clock that `members` have their times of
    Micros at = 0;        // the same moment
    std::vector<SwarmMember> members{};
};
using SwarmRollPtr = std::shared_ptr<const SwarmRoll>;

// What others see of a SwarmService: made on its thread, at most once a second, and shared by all who read. Safe from
// any thread.
class SwarmView {
public:
    // `ask`: has show(swarm, …) called soon, from wherever. Called from any thread.
    SwarmView(std::string instance, std::function<void(const SwarmId&)> ask);

    const std::string& instance() const noexcept { return instance_; }
    SwarmPicturePtr picture() const;
    // Of the last second. unavailable: the swarm's thread doesn't answer.
    Task<SwarmRollPtr> roll(SwarmId swarm);

    void show(SwarmPicturePtr picture);
    void show(const SwarmId& swarm, SwarmRollPtr roll);

private:
    using Time = std::chrono::steady_clock::time_point;
    struct Roll {
        SwarmRollPtr roll;  // null: none has come yet
        Time shown{};
        Time asked{};
    };

    // From memory where it is recent enough; else null, and it has been asked for.
    SwarmRollPtr recent(const SwarmId& swarm);

    const std::string instance_;
    const std::function<void(const SwarmId&)> ask_;
    mutable std::mutex mutex_;
    SwarmPicturePtr picture_ = std::make_shared<const SwarmPicture>();
    std::map<SwarmId, Roll> rolls_;
    Bell shown_;
};

}  // namespace entrepot
