#pragma once

#include "core/clock.hpp"
#include "events/feed/event_feed.hpp"
#include "http/message.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace entrepot {

// How many streams an instance has open.
struct EventStreamCount {
    std::atomic<std::int64_t> open{0};
};

// Events as they happen, as server-sent events (HTML Living Standard, section 9.2): each with its sequence as id and
// its JSON as data; every 15 s a comment, with the id up to which there was nothing to tell. What a slow reader has not
// taken yet is read from the log when it comes to that, so nothing is gathered for it. "event: gap" says that events
// were removed before they could be sent. Ends when the caller's credential does. Used on one loop.
class EventStream final : public StreamedBody {
public:
    struct Parts {
        EventTail& tail;
        EventViewer viewer;
        EventFilter filter;
        const Clock& clock;
        std::shared_ptr<EventStreamCount> count;
        std::chrono::seconds lifetime{0};  // 0: no end
    };
    EventStream(Parts parts, std::int64_t after, const asio::any_io_executor& loop);
    ~EventStream() override;

    Task<std::size_t> read(std::span<std::byte> into) override;
    void stop() noexcept override;

private:
    bool goes_on() const;
    Task<> fill();
    void append(const Event& event);
    std::size_t hand_out(std::span<std::byte> into);

    Parts parts_;
    std::int64_t after_;
    std::shared_ptr<EventWaiter> waiter_;
    const std::chrono::steady_clock::time_point end_;
    std::chrono::steady_clock::time_point next_comment_;
    std::string text_;      // not handed out yet
    std::size_t used_ = 0;  // of its front
    bool stopped_ = false;
};

}  // namespace entrepot
