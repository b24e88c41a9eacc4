#include "api/management/event_stream.hpp"

#include "events/feed/event_json.hpp"

#include <algorithm>
#include <cstring>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr auto between_comments = 15s;
constexpr std::size_t events_at_once = 100;
constexpr auto for_ever = std::chrono::hours{24 * 365};

}  // namespace

EventStream::EventStream(Parts parts, std::int64_t after, const asio::any_io_executor& loop)
    : parts_{std::move(parts)},
      after_{after},
      waiter_{std::make_shared<EventWaiter>(loop)},
      end_{parts_.clock.steady() + (parts_.lifetime.count() > 0 ? parts_.lifetime : for_ever)},
      next_comment_{parts_.clock.steady() + between_comments},
      text_{"retry: 2000\n\n"}
{
    parts_.count->open.fetch_add(1, std::memory_order_relaxed);
    parts_.tail.join(waiter_);
}

EventStream::~EventStream()
{
    parts_.count->open.fetch_sub(1, std::memory_order_relaxed);
}

void EventStream::stop() noexcept
{
    stopped_ = true;
    waiter_->wake();
}

Task<std::size_t> EventStream::read(std::span<std::byte> into)
{
    while (used_ == text_.size() && goes_on()) CO_CHECK(co_await fill());
    co_return hand_out(into);
}

bool EventStream::goes_on() const
{
    return !stopped_ && parts_.clock.steady() < end_ && parts_.viewer.stands();
}

std::size_t EventStream::hand_out(std::span<std::byte> into)
{
    const auto count = std::min(into.size(), text_.size() - used_);
    std::memcpy(into.data(), text_.data() + used_, count);
    used_ += count;
    return count;
}

void EventStream::append(const Event& event)
{
    if (after_ > 0 && event.sequence != after_ + 1) {
        text_ += "event: gap\ndata: {\"oldest\":" + std::to_string(event.sequence) + "}\n\n";
    }
    after_ = event.sequence;
    if (!parts_.filter.admits(event) || !parts_.viewer.sees(event)) return;
    text_ += "id: " + std::to_string(event.sequence) + "\ndata: " + event_json(event) + "\n\n";
}

// What there is, or else waits until there is something or a comment is due.
Task<> EventStream::fill()
{
    text_.clear();
    used_ = 0;
    CO_TRY(const auto events, co_await parts_.tail.read(after_, events_at_once));
    for (const auto& event : events) append(*event);
    if (!text_.empty()) next_comment_ = parts_.clock.steady() + between_comments;
    if (!events.empty()) co_return Result<>{};
    const bool woken = co_await waiter_->wait_until(std::min(next_comment_, end_));
    if (woken || parts_.clock.steady() < next_comment_) co_return Result<>{};
    text_ = ":\nid: " + std::to_string(after_) + "\n\n";
    next_comment_ = parts_.clock.steady() + between_comments;
    co_return Result<>{};
}

}  // namespace entrepot
