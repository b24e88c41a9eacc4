#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace entrepot {

// How much may be under way from a node at a time, by what others have acknowledged: enough to keep its link busy, and
// no more. What goes to twenty nodes at once over a narrow link comes late to all of them, and nobody can pass any of
// it on meanwhile. Used on one loop.
class UplinkGauge {
public:
    using Time = std::chrono::steady_clock::time_point;

    // Bytes. A chunk, and what leaves until it is known that it came: more would only wait in queues, which are short
    // on narrow links, and be sent twice.
    std::uint64_t limit() const noexcept
    {
        return least + static_cast<std::uint64_t>(rate_ * std::chrono::duration<double>{until_known_}.count());
    }
    // How far away the farthest is of those who are sent anything. Until it is said, they may be on another continent.
    void reached(std::chrono::microseconds round_trip) noexcept
    {
        until_known_ = std::min<std::chrono::microseconds>(2 * round_trip + late_word, longest);
    }
    // Bytes a second that others take, as far as anybody has seen.
    double rate() const noexcept { return rate_; }
    // The same where there was more to send than they took; 0: it has not been so yet.
    double link() const noexcept { return link_; }
    // When it makes sense to look again, with so many bytes more under way than may be.
    std::chrono::steady_clock::duration until_room(std::uint64_t excess) const noexcept
    {
        if (rate_ <= 0) return shortest_wait;
        using Seconds = std::chrono::duration<double>;
        const auto time =
            std::clamp<Seconds>(Seconds{static_cast<double>(excess) / rate_}, shortest_wait, longest_wait);
        return std::chrono::duration_cast<std::chrono::steady_clock::duration>(time);
    }
    // `acknowledged` bytes in all, since the beginning; `full`: more would have gone if it had been allowed.
    void note(std::uint64_t acknowledged, bool full, Time now) noexcept
    {
        was_full_ = was_full_ || full;
        if (began_ == Time{}) {
            began_ = now;
            acknowledged_ = acknowledged;
        }
        const std::chrono::duration<double> span = now - began_;
        if (now - began_ < window) return;
        const auto seen = static_cast<double>(acknowledged - std::min(acknowledged_, acknowledged)) / span.count();
        // Who has nothing to send learns nothing of the link, and who wasn't asked for long had nothing to send.
        if (now - began_ > longest_window)
            was_full_ = false;
        else if (seen > rate_)
            rate_ = seen;
        else if (was_full_)
            rate_ += (seen - rate_) / 4;
        if (was_full_ || link_ > 0) link_ = rate_;
        began_ = now;
        acknowledged_ = acknowledged;
        was_full_ = false;
    }

private:
    static constexpr std::uint64_t least = 256 * 1024;
    // A receiver that gathers its acknowledgements, and this process until it looks.
    static constexpr std::chrono::milliseconds late_word{40};
    static constexpr std::chrono::milliseconds longest{500};
    static constexpr std::chrono::milliseconds window{50};
    static constexpr std::chrono::milliseconds longest_window{200};
    static constexpr std::chrono::steady_clock::duration shortest_wait = std::chrono::milliseconds{1};
    static constexpr std::chrono::steady_clock::duration longest_wait = std::chrono::milliseconds{20};

    std::chrono::microseconds until_known_ = std::chrono::milliseconds{200};
    double rate_ = 0;
    double link_ = 0;
    Time began_{};
    std::uint64_t acknowledged_ = 0;
    bool was_full_ = false;
};

}  // namespace entrepot
