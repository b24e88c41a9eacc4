#include "http/timer_wheel.hpp"

#include <algorithm>

namespace entrepot::http {

void Timed::unlink() noexcept
{
    if (!next_) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
}

TimerWheel::TimerWheel() noexcept
{
    for (Timed& slot : slots_) slot.previous_ = slot.next_ = &slot;
}

void TimerWheel::set(Timed& timed, Tick deadline) noexcept
{
    timed.deadline_ = std::max(deadline, now_ + 1);
    if (timed.next_ && timed.slot_time_ <= timed.deadline_) return;
    timed.unlink();
    link(timed);
}

void TimerWheel::link(Timed& timed) noexcept
{
    timed.slot_time_ = std::min<Tick>(timed.deadline_, now_ + slots - 1);
    Timed& slot = slots_[timed.slot_time_ % slots];
    timed.previous_ = &slot;
    timed.next_ = slot.next_;
    slot.next_->previous_ = &timed;
    slot.next_ = &timed;
}

void TimerWheel::tick()
{
    ++now_;
    Timed& slot = slots_[now_ % slots];
    // What is linked while this goes on lands in later slots, so the list gets empty.
    while (slot.next_ != &slot) {
        Timed& timed = *slot.next_;
        timed.unlink();
        if (timed.deadline_ > now_) {
            link(timed);
        } else {
            timed.due(now_);
        }
    }
}

}  // namespace entrepot::http
