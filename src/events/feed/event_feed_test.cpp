#include "events/feed/event_feed.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

// A log in memory. What is appended is there once it is settled.
class MemoryLog final : public EventLog {
public:
    void append(std::string_view type, std::int64_t project_id = 0, std::string repository = {})
    {
        Event event;
        event.sequence = ++last_;
        event.type = type;
        event.project_id = project_id;
        event.repository = std::move(repository);
        unsettled_.push_back(std::move(event));
    }
    void drop(std::size_t count)
    {
        events_.erase(events_.begin(), events_.begin() + static_cast<std::ptrdiff_t>(count));
    }

    Task<EventRange> settle() override
    {
        for (auto& event : std::exchange(unsettled_, {})) events_.push_back(std::move(event));
        if (events_.empty()) co_return EventRange{1, 0};
        co_return EventRange{events_.front().sequence, events_.back().sequence};
    }
    Task<std::vector<Event>> read(std::int64_t after, std::int64_t limit) override
    {
        ++reads;
        std::vector<Event> found;
        for (const auto& event : events_) {
            if (event.sequence > after && static_cast<std::int64_t>(found.size()) < limit) found.push_back(event);
        }
        co_return found;
    }
    Task<> add(std::vector<Event>) override { co_return Result<>{}; }
    Task<std::int64_t> cursor(std::string) override { co_return 0; }
    Task<> advance(std::string, std::int64_t, std::int64_t, std::vector<NewJob>) override { co_return Result<>{}; }
    Task<std::int64_t> remove(Micros, Micros) override { co_return 0; }

    int reads = 0;

private:
    std::int64_t last_ = 0;
    std::vector<Event> unsettled_;
    std::vector<Event> events_;
};

class EventFeedTest : public testing::Test {
protected:
    EventFeedTest()
    {
        AccessChanges changes;
        changes.version = 1;
        changes.complete = true;
        changes.projects.push_back(project(7, "shop", 5));
        changes.projects.push_back(project(8, "other", 6));
        changes.principals.push_back(principal(5));
        changes.principals.push_back(principal(6));
        policy.apply(std::move(changes));
    }
    static ProjectAccess project(std::int64_t id, std::string name, std::int64_t admin)
    {
        ProjectAccess access;
        access.id = id;
        access.name = std::move(name);
        access.tenant_id = 1;
        GrantEntry grant;
        grant.subject = {SubjectKind::principal, admin};
        grant.role_id = role::project_admin;
        access.grants.push_back(std::move(grant));
        return access;
    }
    static PrincipalAccess principal(std::int64_t id)
    {
        PrincipalAccess access;
        access.id = id;
        return access;
    }
    EventViewer viewer(std::int64_t user_id)
    {
        Caller caller;
        caller.identity = std::make_shared<const Identity>(Identity{user_id, "somebody", PrincipalKind::user});
        return {policy, caller};
    }
    void follow() { ASSERT_TRUE(run_to_end(tail.follow())); }
    Result<EventPage> read(std::int64_t after, EventFilter filter = {}, std::size_t limit = 100)
    {
        return run_to_end(feed.read(viewer(5), std::move(filter), after, limit));
    }

    FakeClock clock;
    AccessPolicy policy{ProjectCreation::nobody, clock};
    MemoryLog log;
    EventTail tail{log};
    EventFeed feed{log, tail};
};

TEST(EventFilter, narrows_by_type_project_and_repository)
{
    Event event;
    event.type = event_type::artifact_pushed;
    event.tenant_id = 1;
    event.project_id = 7;
    event.repository = "shop/web/app";
    const auto admits = [&](EventFilter filter) { return filter.admits(event); };
    EXPECT_TRUE(admits({}));
    EXPECT_TRUE(admits({.types = {"tag.*", "artifact.*"}, .repository = {}}));
    EXPECT_FALSE(admits({.types = {"tag.*", "artifact.deleted"}, .repository = {}}));
    EXPECT_TRUE(admits({.types = {}, .tenant_id = 1, .project_id = 7, .repository = "shop/**"}));
    EXPECT_FALSE(admits({.types = {}, .project_id = 8, .repository = {}}));
    EXPECT_FALSE(admits({.types = {}, .tenant_id = 2, .repository = {}}));
    EXPECT_FALSE(admits({.types = {}, .repository = "shop/*"}));
    event.repository.clear();
    EXPECT_FALSE(admits({.types = {}, .repository = "**"})) << "of no repository";
}

TEST(EventFilter, types_are_those_that_there_are)
{
    EXPECT_EQ(parse_event_types("").value().size(), 0U);
    EXPECT_EQ(parse_event_types("artifact.pushed,tag.*").value().size(), 2U);
    for (const auto* wrong :
         {"artifact", "artifact.", "artifact.*x", "*", ".*", "nonsense.*", ",", "artifact.pushed,,"}) {
        EXPECT_FALSE(parse_event_types(wrong)) << wrong;
    }
}

TEST_F(EventFeedTest, shows_what_the_caller_may_see_and_goes_on_behind_the_rest)
{
    log.append(event_type::artifact_pushed, 7, "shop/app");
    log.append(event_type::artifact_pushed, 8, "other/app");
    log.append(event_type::user_created);
    log.append(event_type::artifact_deleted, 7, "shop/app");
    const auto page = read(0).value();
    ASSERT_EQ(page.events.size(), 2U);
    EXPECT_EQ(page.events[1]->sequence, 4);
    EXPECT_EQ(page.next, 4);
    EXPECT_EQ(read(0, {.types = {"artifact.deleted"}, .repository = {}})->events.size(), 1U);
    const auto first = read(0, {}, 1).value();
    EXPECT_EQ(first.next, 1);
    EXPECT_EQ(read(first.next, {}, 1)->next, 4);
    EXPECT_EQ(read(4)->next, 4) << "the end";
}

TEST_F(EventFeedTest, events_that_are_gone_are_told_of)
{
    for (int i = 0; i < 5; ++i) log.append(event_type::artifact_pushed, 7);
    follow();
    EXPECT_EQ(read(0)->events.size(), 5U);
    log.drop(3);
    EXPECT_EQ(read(1).error().code(), Errc::gone);
    EXPECT_EQ(read(3)->events.size(), 2U);
    EXPECT_EQ(read(0)->events.size(), 2U) << "0 is the beginning, wherever that is";
}

TEST_F(EventFeedTest, what_was_acknowledged_before_is_in_the_answer)
{
    follow();
    log.append(event_type::artifact_pushed, 7);
    EXPECT_EQ(read(0)->events.size(), 1U) << "though the tail has not seen it";
}

TEST_F(EventFeedTest, the_tail_answers_from_memory)
{
    log.append(event_type::artifact_pushed, 7);
    follow();
    for (int i = 0; i < 10; ++i) log.append(event_type::artifact_pushed, 7);
    follow();
    EXPECT_EQ(tail.range().newest, 11);
    const auto before = log.reads;
    const auto near = run_to_end(tail.read(1, 100)).value();
    ASSERT_EQ(near.size(), 10U);
    EXPECT_EQ(near.front()->sequence, 2);
    EXPECT_EQ(run_to_end(tail.read(8, 2)).value().back()->sequence, 10);
    EXPECT_EQ(run_to_end(tail.read(11, 2)).value().size(), 0U);
    EXPECT_EQ(log.reads, before);
    EXPECT_EQ(run_to_end(tail.read(0, 100)).value().size(), 11U) << "what was before the start is in the log";
    EXPECT_EQ(log.reads, before + 1);
}

TEST_F(EventFeedTest, the_tail_keeps_the_newest_only)
{
    follow();
    for (std::size_t i = 0; i < EventTail::most_kept + 10; ++i) log.append(event_type::artifact_pushed, 7);
    follow();
    const auto before = log.reads;
    EXPECT_EQ(run_to_end(tail.read(10, 1)).value().front()->sequence, 11);
    EXPECT_EQ(log.reads, before);
    EXPECT_EQ(run_to_end(tail.read(9, 1)).value().front()->sequence, 10);
    EXPECT_EQ(log.reads, before + 1);
}

TEST_F(EventFeedTest, whoever_waits_is_woken_once_there_is_something)
{
    follow();
    asio::io_context loop;
    const auto waiter = std::make_shared<EventWaiter>(loop.get_executor());
    tail.join(waiter);
    std::vector<bool> woken;
    const auto wait = [](EventWaiter& who, std::vector<bool>& into) -> asio::awaitable<void> {
        into.push_back(co_await who.wait_until(std::chrono::steady_clock::now() + std::chrono::hours{1}));
        into.push_back(co_await who.wait_until(std::chrono::steady_clock::now()));
    };
    asio::co_spawn(loop, wait(*waiter, woken), [](std::exception_ptr) {});
    loop.poll();
    EXPECT_TRUE(woken.empty());
    log.append(event_type::artifact_pushed, 7);
    follow();
    loop.run();
    EXPECT_EQ(woken, (std::vector<bool>{true, false}));
}

}  // namespace
}  // namespace entrepot
