#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace entrepot::http {

// Seconds since a loop began, counted by its ticks.
using Tick = std::uint64_t;

// Something that may become due. Linked into at most one wheel, and out of it when destroyed.
class Timed {
public:
    Timed() noexcept = default;
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

protected:
    ~Timed() { unlink(); }
    // Called once the deadline has passed; the object is out of the wheel then and may set a new one.
    virtual void due(Tick now) = 0;

private:
    friend class TimerWheel;
    void unlink() noexcept;

    Timed* previous_ = nullptr;
    Timed* next_ = nullptr;
    Tick slot_time_ = 0;  // when the wheel will look at this object, never after the deadline
    Tick deadline_ = 0;
};

// Deadlines of many connections with a resolution of one tick. To postpone one, which happens with every request, only
// writes a number: the object is moved when its old slot comes round. Not safe across threads.
class TimerWheel {
public:
    TimerWheel() noexcept;

    Tick now() const noexcept { return now_; }
    void set(Timed& timed, Tick deadline) noexcept;
    static void clear(Timed& timed) noexcept { timed.unlink(); }
    // Moves on by one tick and calls what has become due.
    void tick();

private:
    class Slot final : public Timed {
        void due(Tick /*now*/) override {}
    };
    static constexpr std::size_t slots = 128;

    void link(Timed& timed) noexcept;

    std::array<Slot, slots> slots_;
    Tick now_ = 0;
};

}  // namespace entrepot::http
