#include "events/audit/audit_forwarder.hpp"

#include "tests/support/audit_fixture.hpp"

#include <condition_variable>
#include <mutex>

namespace entrepot {
namespace {

// Keeps what it gets; refuses while it is away.
class KeepingSink final : public AuditSink {
public:
    Result<> send(std::span<const AuditMessage> messages) override
    {
        const std::scoped_lock lock{mutex_};
        ++tries_;
        changed_.notify_all();
        if (away_) return fail(Errc::unavailable, "away");
        for (const auto& message : messages) lines_.emplace_back(message.json);
        return {};
    }
    void set_away(bool away)
    {
        const std::scoped_lock lock{mutex_};
        away_ = away;
    }
    // False after a minute: a hang.
    bool wait_for_lines(std::size_t count)
    {
        std::unique_lock guard{mutex_};
        return changed_.wait_for(guard, std::chrono::minutes{1}, [&] { return lines_.size() >= count; });
    }
    bool wait_for_a_try()
    {
        std::unique_lock guard{mutex_};
        const auto before = tries_;
        return changed_.wait_for(guard, std::chrono::minutes{1}, [&] { return tries_ > before; });
    }
    std::vector<std::string> lines() const
    {
        const std::scoped_lock lock{mutex_};
        return lines_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> lines_;
    int tries_ = 0;
    bool away_ = false;
};

class Forwarding : public AuditTest {
protected:
    KeepingSink sink;
};

TEST_F(Forwarding, hands_on_every_record_in_order_through_all_segments)
{
    auto log = opened(1'000);
    AuditForwarder forwarder{"syslog", store, store, *log, sink};
    ASSERT_TRUE(forwarder.start());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(put(*log, "p" + std::to_string(i)));
    ASSERT_TRUE(sink.wait_for_lines(20));
    forwarder.stop();
    const auto lines = sink.lines();
    ASSERT_EQ(lines.size(), 20U);
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(parse_record_line(lines[i])->number, i + 1);
    EXPECT_EQ(forwarder.counters().behind, 0U);
    EXPECT_EQ(forwarder.counters().forwarded, 20U);
}

TEST_F(Forwarding, goes_on_after_the_other_side_was_away_and_after_a_restart)
{
    auto log = opened(1'000);
    sink.set_away(true);
    {
        AuditForwarder forwarder{"syslog", store, store, *log, sink};
        ASSERT_TRUE(forwarder.start());
        for (int i = 0; i < 10; ++i) ASSERT_TRUE(put(*log, "p" + std::to_string(i)));
        ASSERT_TRUE(sink.wait_for_a_try());
        forwarder.stop();
        EXPECT_EQ(forwarder.counters().forwarded, 0U);
        EXPECT_EQ(forwarder.counters().behind, 10U);
        EXPECT_GT(forwarder.counters().failures, 0U);
    }
    log->stop();
    log = opened(1'000);
    sink.set_away(false);
    AuditForwarder forwarder{"syslog", store, store, *log, sink};
    ASSERT_TRUE(forwarder.start());
    ASSERT_TRUE(put(*log, "last"));
    ASSERT_TRUE(sink.wait_for_lines(11));
    EXPECT_EQ(sink.lines().size(), 11U);
}

TEST_F(Forwarding, counts_what_was_dropped_before_it_could_be_forwarded)
{
    auto log = opened(600);
    {
        AuditForwarder forwarder{"syslog", store, store, *log, sink};
        ASSERT_TRUE(forwarder.start());
    }
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(put(*log, "p" + std::to_string(i)));
    auto files = store.files();
    ASSERT_GT(files.size(), 3U);
    const auto first_left = std::next(files.begin(), 2);
    const auto header = parse_header_line(first_left->second.substr(0, first_left->second.find('\n')));
    files.erase(files.begin(), first_left);
    store.set_files(files);
    AuditForwarder forwarder{"syslog", store, store, *log, sink};
    ASSERT_TRUE(forwarder.start());
    ASSERT_TRUE(sink.wait_for_lines(9 - header->before.record));
    forwarder.stop();
    EXPECT_EQ(forwarder.counters().lost, header->before.record);
}

}  // namespace
}  // namespace entrepot
