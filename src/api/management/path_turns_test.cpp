#include "api/management/path_turns.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace entrepot {
namespace {

// Takes its turn, says so, and holds on to it.
asio::awaitable<void>
take(PathTurns& turns, std::string path, std::optional<PathTurns::Turn>& held, std::vector<std::string>& log)
{
    auto turn = co_await turns.wait(path);
    log.push_back(std::move(path));
    held.emplace(*std::move(turn));
}

TEST(PathTurns, let_one_through_at_a_time_in_the_order_of_arrival)
{
    asio::io_context loop{1};
    PathTurns turns;
    std::optional<PathTurns::Turn> first;
    std::optional<PathTurns::Turn> second;
    std::optional<PathTurns::Turn> third;
    std::optional<PathTurns::Turn> elsewhere;
    std::vector<std::string> log;
    const auto start = [&](const char* path, std::optional<PathTurns::Turn>& held) {
        asio::co_spawn(loop, take(turns, path, held, log), asio::detached);
        loop.restart();
        loop.poll();
    };
    start("a", first);
    start("a", second);
    start("a", third);
    start("b", elsewhere);
    EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
    EXPECT_FALSE(second);
    first.reset();
    loop.restart();
    loop.poll();
    EXPECT_TRUE(second);
    EXPECT_FALSE(third);
    second.reset();
    loop.restart();
    loop.poll();
    EXPECT_TRUE(third);
    third.reset();
    start("a", first);
    EXPECT_TRUE(first) << "the line has ended, so this one is the first again";
}

}  // namespace
}  // namespace entrepot
