#include "delivery/swarm_view.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto good_for = 1s;
// After this one that was not answered is asked for again, and nobody waits any longer.
constexpr auto patience = 5s;
// A list of 15,000 nodes takes some 3 MB: it isn't kept for nobody.
constexpr auto kept_for = 10s;

}  // namespace

const std::string* SwarmImageView::repository(std::uint64_t id) const noexcept
{
    const auto found = std::ranges::find(repositories, id, &SwarmRepository::id);
    return found == repositories.end() || found->name.empty() ? nullptr : &found->name;
}

SwarmView::SwarmView(std::string instance, std::function<void(const SwarmId&)> ask)
    : instance_{std::move(instance)}, ask_{std::move(ask)}
{
}

SwarmPicturePtr SwarmView::picture() const
{
    const std::lock_guard lock{mutex_};
    return picture_;
}

void SwarmView::show(SwarmPicturePtr picture)
{
    const std::lock_guard lock{mutex_};
    picture_ = std::move(picture);
    const auto now = steady_clock::now();
    std::erase_if(rolls_, [&](const auto& entry) {
        return now - std::max(entry.second.shown, entry.second.asked) > kept_for;
    });
}

void SwarmView::show(const SwarmId& swarm, SwarmRollPtr roll)
{
    {
        const std::lock_guard lock{mutex_};
        auto& place = rolls_[swarm];
        place.roll = std::move(roll);
        place.shown = steady_clock::now();
        place.asked = {};
    }
    shown_.ring();
}

SwarmRollPtr SwarmView::recent(const SwarmId& swarm)
{
    const auto now = steady_clock::now();
    {
        const std::lock_guard lock{mutex_};
        auto& place = rolls_[swarm];
        if (place.roll && now - place.shown < good_for) return place.roll;
        if (now - place.asked < patience) return nullptr;
        place.asked = now;
    }
    ask_(swarm);
    return nullptr;
}

Task<SwarmRollPtr> SwarmView::roll(SwarmId swarm)
{
    const auto until = steady_clock::now() + patience;
    for (;;) {
        const auto heard = shown_.rung();
        if (auto found = recent(swarm)) co_return found;
        const auto left = until - steady_clock::now();
        if (left <= left.zero()) co_return fail(Errc::unavailable, "the swarm doesn't answer just now");
        co_await shown_.wait(heard, left);
    }
}

}  // namespace entrepot
