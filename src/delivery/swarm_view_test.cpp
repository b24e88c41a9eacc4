#include "delivery/swarm_view.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/swarm_pictures.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(SwarmView, shares_one_list_of_nodes_among_all_readers)
{
    asio::io_context loop{1};
    auto work = asio::make_work_guard(loop);
    std::atomic<int> asked{0};
    std::atomic<std::uint16_t> progress{0};
    SwarmView* self = nullptr;
    SwarmView view{"one", [&](const SwarmId& swarm) {
                       asio::post(loop, [&, swarm] {
                           ++asked;
                           self->show(swarm, roll_of({member_of("n", "a", 1, ++progress)}));
                           self->show(picture_of({image_view(1, {{1, "shop/web"}}, {group_of(1, "a", 1, 10)})}));
                       });
                   }};
    self = &view;
    const std::jthread service{[&] { loop.run(); }};
    std::atomic<int> read{0};
    {
        std::vector<std::jthread> readers;
        for (int number = 0; number < 4; ++number) {
            readers.emplace_back([&] {
                for (int turn = 0; turn < 200; ++turn) {
                    const auto roll = run_to_end(view.roll(SwarmId{}));
                    if (roll && (*roll)->members.at(0).name == "n") ++read;
                    if (view.picture()->images.size() > 1) --read;
                }
            });
        }
    }
    EXPECT_EQ(read, 800);
    EXPECT_GE(asked, 1);
    EXPECT_LT(asked, 800) << "what is recent is not made again";
    EXPECT_EQ(view.picture()->images.size(), 1U);
    work.reset();
}

TEST(SwarmView, asks_again_for_another_image)
{
    int asked = 0;
    SwarmView* self = nullptr;
    SwarmView view{"one", [&](const SwarmId& swarm) {
                       ++asked;
                       self->show(swarm, roll_of({}));
                   }};
    self = &view;
    SwarmId other;
    other.bytes[0] = 1;
    EXPECT_TRUE(run_to_end(view.roll(SwarmId{})));
    EXPECT_TRUE(run_to_end(view.roll(other)));
    EXPECT_TRUE(run_to_end(view.roll(other)));
    EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace entrepot
