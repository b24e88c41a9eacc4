#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace entrepot {

// What happens when, in simulated microseconds: a calendar of short days for what is near, a heap for what is far.
// Things of one moment happen in the order in which they were added, so a run can be repeated exactly.
template <class Event>
class EventQueue {
public:
    EventQueue() : days_(days) {}

    // Nothing can be added to the past: then it happens now.
    void push(std::int64_t time, const Event& event)
    {
        Entry entry{.time = std::max(time, now_), .order = order_++, .event = event};
        ++size_;
        if (entry.time / day >= today_ + days)
            far_.push(entry);
        else
            put(entry);
    }

    bool empty() const noexcept { return size_ == 0; }
    std::uint64_t size() const noexcept { return size_; }

    // The next one with its time; nullopt: there is none.
    std::optional<std::pair<std::int64_t, Event>> pop()
    {
        if (size_ == 0) return std::nullopt;
        while (next_ == here().size()) turn_page();
        const auto& entry = here()[next_++];
        --size_;
        now_ = entry.time;
        return std::pair{entry.time, entry.event};
    }

private:
    static constexpr std::int64_t day = 32;        // microseconds
    static constexpr std::int64_t days = 1 << 15;  // about a second

    struct Entry {
        std::int64_t time;
        std::uint64_t order;
        Event event;

        bool operator<(const Entry& other) const noexcept
        {
            return std::pair{time, order} < std::pair{other.time, other.order};
        }
        bool operator>(const Entry& other) const noexcept { return other < *this; }
    };

    std::vector<Entry>& here() noexcept { return days_[static_cast<std::size_t>(today_ % days)]; }

    void put(const Entry& entry)
    {
        auto& page = days_[static_cast<std::size_t>(entry.time / day % days)];
        if (page.capacity() == 0 && !spare_.empty()) {
            page = std::move(spare_.back());
            spare_.pop_back();
        }
        if (entry.time / day == today_)
            page.insert(std::upper_bound(page.begin() + static_cast<std::ptrdiff_t>(next_), page.end(), entry), entry);
        else
            page.push_back(entry);
    }

    void turn_page()
    {
        // The room of a day that is over goes to one that is to come: a year of full days would be gigabytes.
        here().clear();
        if (here().capacity() > 0) spare_.push_back(std::exchange(here(), {}));
        next_ = 0;
        ++today_;
        while (!far_.empty() && far_.top().time / day < today_ + days) {
            const auto entry = far_.top();
            far_.pop();
            days_[static_cast<std::size_t>(entry.time / day % days)].push_back(entry);
        }
        std::ranges::sort(here(), std::less<>{});
    }

    std::vector<std::vector<Entry>> days_;
    std::vector<std::vector<Entry>> spare_;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> far_;
    std::int64_t today_ = 0;
    std::size_t next_ = 0;
    std::int64_t now_ = 0;
    std::uint64_t order_ = 0;
    std::uint64_t size_ = 0;
};

}  // namespace entrepot
