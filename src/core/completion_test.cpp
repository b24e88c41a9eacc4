#include "core/completion.hpp"

#include "core/run_to_end.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

namespace entrepot {
namespace {

Task<int> both(std::vector<Completion<int>>& waiting)
{
    const auto home = co_await asio::this_coro::executor;
    int sum = 0;
    int ended = 0;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(
            home,
            completed_by<int>([&waiting](Completion<int> mine) { waiting.push_back(std::move(mine)); }),
            [&sum, &ended](const std::exception_ptr&, const Result<int>& result) {
                sum += *result;
                ++ended;
            }
        );
    }
    while (waiting.size() < 3) co_await asio::post(home, asio::use_awaitable);
    // Moves the ones behind it forward.
    auto first = std::move(waiting.front());
    waiting.erase(waiting.begin());
    first.complete(1);
    for (auto& other : waiting) other.complete(10);
    while (ended < 3) co_await asio::post(home, asio::use_awaitable);
    co_return sum;
}

TEST(Completion, can_be_taken_out_of_a_row_of_others)
{
    std::vector<Completion<int>> waiting;
    EXPECT_EQ(*run_to_end(both(waiting)), 21);
}

}  // namespace
}  // namespace entrepot
