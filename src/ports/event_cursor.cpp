#include "ports/event_cursor.hpp"

namespace entrepot {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t most_unwritten = 2'000;
constexpr auto longest_unwritten = 5s;

}  // namespace

bool EventCursor::worth_writing(std::int64_t to) const
{
    return to > written_ && (to - written_ >= most_unwritten || clock_.steady() - written_at_ >= longest_unwritten);
}

void EventCursor::stands_at(std::int64_t to)
{
    written_ = to;
    read_ = to;
    written_at_ = clock_.steady();
}

Task<std::int64_t> EventCursor::find()
{
    if (written_ < 0) {
        CO_TRY(const auto at, co_await log_.cursor(consumer_));
        stands_at(at);
    }
    co_return read();
}

Task<> EventCursor::pass(std::int64_t to)
{
    const auto write = [this, to](std::string consumer, std::int64_t from) {
        return log_.advance(std::move(consumer), from, to, {});
    };
    CO_TRY(const bool written, co_await move(to, false, write));
    (void)written;
    co_return Result<>{};
}

}  // namespace entrepot
