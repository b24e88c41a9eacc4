#include "tenancy/access_directory.hpp"

#include "tests/support/access_entries_of.hpp"
#include "tests/support/fake_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <optional>

namespace entrepot {
namespace {

// Answers when a test says so.
class HeldCatalog final : public AccessCatalog {
public:
    Task<AccessChanges> changes_since(std::int64_t version) override
    {
        asked.push_back(version);
        co_return co_await completed_by<AccessChanges>([this](Completion<AccessChanges> completion) {
            held.emplace(std::move(completion));
        });
    }
    void answer(Result<AccessChanges> changes)
    {
        auto completion = std::move(*held);
        held.reset();
        completion.complete(std::move(changes));
    }

    std::vector<std::int64_t> asked;
    std::optional<Completion<AccessChanges>> held;
};

AccessChanges everything(std::int64_t version)
{
    AccessChanges changes;
    changes.version = version;
    changes.complete = true;
    return changes;
}

class Directory : public testing::Test {
protected:
    // One more that wants to catch up; its answer goes to `outcomes`.
    std::size_t start()
    {
        outcomes.emplace_back();
        const auto place = outcomes.size() - 1;
        asio::co_spawn(loop, caught_up(place), asio::detached);
        settle();
        return place;
    }
    asio::awaitable<void> caught_up(std::size_t place)
    {
        auto outcome = co_await directory.catch_up();
        outcomes[place].emplace(std::move(outcome));
    }
    void settle()
    {
        loop.restart();
        loop.poll();
    }
    void answer(Result<AccessChanges> changes)
    {
        catalog.answer(std::move(changes));
        settle();
    }

    asio::io_context loop{1};
    FakeClock clock;
    AccessPolicy policy{ProjectCreation::nobody, clock};
    HeldCatalog catalog;
    AccessDirectory directory{catalog, policy};
    std::vector<std::optional<Result<>>> outcomes;
};

TEST_F(Directory, those_who_come_during_a_read_share_the_next_one)
{
    start();
    start();
    start();
    EXPECT_EQ(catalog.asked, std::vector<std::int64_t>{0});
    answer(everything(3));
    EXPECT_EQ(policy.version(), 3);
    EXPECT_TRUE(outcomes[0]);
    EXPECT_FALSE(outcomes[1]) << "their changes may have committed after the first read began";
    EXPECT_FALSE(outcomes[2]);
    EXPECT_EQ(catalog.asked, (std::vector<std::int64_t>{0, 3}));
    answer(everything(4));
    ASSERT_TRUE(outcomes[1] && outcomes[2]);
    EXPECT_TRUE(*outcomes[1]);
    EXPECT_TRUE(*outcomes[2]);
    EXPECT_EQ(catalog.asked.size(), 2U);
    EXPECT_EQ(policy.version(), 4);
}

TEST_F(Directory, a_read_that_fails_fails_for_all_who_share_it_and_for_nobody_else)
{
    start();
    start();
    start();
    answer(fail(Errc::unavailable, "away"));
    ASSERT_TRUE(outcomes[0]);
    EXPECT_EQ(outcomes[0]->error().code(), Errc::unavailable);
    start();
    answer(fail(Errc::unavailable, "still away"));
    ASSERT_TRUE(outcomes[1] && outcomes[2]);
    EXPECT_FALSE(*outcomes[1]);
    EXPECT_FALSE(*outcomes[2]);
    EXPECT_FALSE(outcomes[3]);
    answer(everything(1));
    ASSERT_TRUE(outcomes[3]);
    EXPECT_TRUE(*outcomes[3]);
}

TEST_F(Directory, nothing_new_changes_nothing_and_the_next_read_goes_on_from_there)
{
    start();
    answer(everything(3));
    AccessChanges nothing;
    nothing.version = 3;
    start();
    answer(nothing);
    start();
    EXPECT_EQ(catalog.asked, (std::vector<std::int64_t>{0, 3, 3}));
    answer(nothing);
    EXPECT_EQ(policy.version(), 3);
}

}  // namespace
}  // namespace entrepot
