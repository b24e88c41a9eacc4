#include "events/audit/audit_log.hpp"

#include "tests/support/audit_fixture.hpp"

#include <thread>

namespace entrepot {
namespace {

class Log : public AuditTest {
protected:
    StoredManifest manifest{*Digest::parse("sha256:" + std::string(64, 'a')), "type", "{}", 5, 6};
    std::shared_ptr<const Identity> alice = std::make_shared<const Identity>(Identity{7, "alice"});
    RepositoryName repository = *RepositoryName::parse("library/app");

    void pull(AuditLog& log, std::string_view tag = "1.0", std::string_view client = "192.0.2.1")
    {
        log.pulled({alice, repository, tag, manifest, client});
    }
};

TEST_F(Log, a_record_is_in_the_segment_when_the_call_answers)
{
    const auto log = opened();
    ASSERT_TRUE(put(*log, "team-a"));
    EXPECT_NE(
        text().find(R"("operation":"create","resource_type":"project","resource":"team-a","result":"ok")"),
        std::string::npos
    );
    EXPECT_EQ(proof().head.record, 1U);
    EXPECT_EQ(log->position().head, proof().head);
}

TEST_F(Log, records_that_wait_share_a_block_and_none_is_lost)
{
    const auto log = opened();
    std::vector<std::thread> threads;
    std::atomic<int> recorded{0};
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&, thread] {
            for (int i = 0; i < 50; ++i) {
                if (put(*log, "p" + std::to_string(thread) + "-" + std::to_string(i))) ++recorded;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(recorded, 400);
    const auto shown = proof();
    EXPECT_FALSE(shown.broken);
    EXPECT_EQ(shown.head.record, 400U);
    EXPECT_EQ(shown.head.block, store.appends());
}

TEST_F(Log, pulls_are_gathered_and_the_same_ones_are_counted)
{
    const auto log = opened();
    for (int i = 0; i < 1'000; ++i) pull(*log);
    pull(*log, "2.0");
    pull(*log, "");
    EXPECT_EQ(text(), "");
    log->flush();
    EXPECT_EQ(proof().head.record, 3U);
    EXPECT_NE(text().find(R"("resource":"library/app:1.0","result":"ok","user":"alice")"), std::string::npos);
    EXPECT_NE(text().find(R"("count":1000,)"), std::string::npos);
    EXPECT_NE(text().find("library/app@sha256:aaaa"), std::string::npos);
}

TEST_F(Log, pulls_are_not_recorded_when_that_is_off)
{
    const auto log = opened();
    log->choose({.pulls = false});
    pull(*log);
    log->flush();
    EXPECT_EQ(text(), "");
    log->choose({});
    pull(*log);
    log->flush();
    EXPECT_EQ(proof().head.record, 1U);
}

TEST_F(Log, log_ins_can_be_left_out_but_neither_failed_ones_nor_changes_nor_denials)
{
    const auto log = opened();
    log->choose({.pulls = false, .log_ins = false, .log_outs = false});
    const auto of = [](std::string operation, std::string result) {
        auto record = audit_example(operation + "-" + result);
        record.operation = std::move(operation);
        record.result = std::move(result);
        return record;
    };
    ASSERT_TRUE(run_to_end(log->note(of("login", "ok"))));
    ASSERT_TRUE(run_to_end(log->note(of("logout", "ok"))));
    log->gather(of("login", "ok"));
    log->flush();
    EXPECT_EQ(text(), "");
    EXPECT_EQ(log->counters().dropped_notes, 0U);
    ASSERT_TRUE(run_to_end(log->note(of("login", "failed"))));
    ASSERT_TRUE(run_to_end(log->note(of("pull", "denied"))));
    ASSERT_TRUE(run_to_end(log->record(of("delete", "ok"))));
    log->flush();
    EXPECT_EQ(proof().head.record, 3U);
    log->choose({.log_outs = false});
    ASSERT_TRUE(run_to_end(log->note(of("login", "ok"))));
    ASSERT_TRUE(run_to_end(log->note(of("logout", "ok"))));
    EXPECT_EQ(proof().head.record, 4U);
}

TEST_F(Log, a_full_disk_refuses_changes_drops_pulls_and_tells_of_it_later)
{
    const auto log = opened();
    ASSERT_TRUE(run_to_end(log->ready()));
    store.fill(5'000);
    ASSERT_TRUE(put(*log, "admitted-before"));  // out of the reserve
    log->flush();
    const auto refused = run_to_end(log->ready());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::storage_full);
    for (int i = 0; i < 7; ++i) pull(*log);
    log->flush();
    EXPECT_EQ(log->counters().dropped_pulls, 7U);
    EXPECT_EQ(text().find("library/app"), std::string::npos);

    store.free();
    EXPECT_TRUE(run_to_end(log->ready()));  // at once
    log->flush();
    EXPECT_NE(text().find(R"("operation":"dropped","resource_type":"audit","resource":"pull")"), std::string::npos);
    EXPECT_NE(text().find(R"("count":7})"), std::string::npos);
    EXPECT_FALSE(proof().broken);
}

TEST_F(Log, a_change_that_can_not_be_written_is_not_acknowledged)
{
    const auto log = opened();
    ASSERT_TRUE(put(*log, "first"));
    store.set_broken(true);
    EXPECT_FALSE(put(*log, "second"));
    store.set_broken(false);
    EXPECT_TRUE(put(*log, "third"));
    EXPECT_EQ(text().find("second"), std::string::npos);
    EXPECT_EQ(proof().head.record, 2U);
    EXPECT_FALSE(proof().broken);
}

TEST_F(Log, a_repeated_denial_is_one_record_at_once_and_one_with_a_count)
{
    const auto log = opened();
    auto denial = audit_example("secret-project");
    denial.result = "denied";
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(run_to_end(log->note(denial)));
    EXPECT_EQ(proof().head.record, 1U);
    log->flush();
    EXPECT_EQ(proof().head.record, 2U);
    EXPECT_NE(text().find(R"("count":19,)"), std::string::npos);
    EXPECT_TRUE(run_to_end(log->note(denial)));
    EXPECT_EQ(proof().head.record, 3U);
}

TEST_F(Log, a_denial_that_can_not_be_written_does_not_fail)
{
    const auto log = opened();
    store.set_broken(true);
    EXPECT_TRUE(run_to_end(log->note(audit_example("x"))));
    EXPECT_EQ(log->counters().dropped_notes, 1U);
}

TEST_F(Log, what_was_gathered_is_written_at_the_end)
{
    auto log = opened();
    pull(*log);
    log->gather(audit_example("token"));
    log->stop();
    EXPECT_EQ(proof().head.record, 2U);
    EXPECT_FALSE(put(*log, "too late"));
}

TEST_F(Log, a_segment_ends_with_its_size_and_with_the_day)
{
    const auto log = opened(1'000);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(put(*log, "p" + std::to_string(i)));
    const auto by_size = store.files().size();
    EXPECT_GT(by_size, 2U);
    clock.advance(std::chrono::hours{24});
    ASSERT_TRUE(put(*log, "tomorrow"));
    EXPECT_EQ(store.files().size(), by_size + 1);
    EXPECT_FALSE(proof().broken);
    EXPECT_EQ(proof().head.record, 11U);
}

TEST_F(Log, old_segments_are_dropped_and_the_rest_stays_provable)
{
    auto log = opened();
    std::vector<AuditAnchor> anchors;
    for (int day = 0; day < 500; day += 100) {
        ASSERT_TRUE(put(*log, "day" + std::to_string(day)));
        anchors.push_back(anchor_at(log->position().head));
        clock.advance(std::chrono::hours{24 * 100});
    }
    ASSERT_TRUE(put(*log, "today"));
    log->flush();
    EXPECT_EQ(store.files().begin()->first, 2U);
    EXPECT_EQ(text().find("day0"), std::string::npos);
    const auto shown = proof(anchors);
    EXPECT_FALSE(shown.broken) << shown.broken->what;
    EXPECT_EQ(shown.first_record, 2U);
    log->stop();
    log = opened();
    ASSERT_TRUE(put(*log, "after a restart"));
    EXPECT_FALSE(proof(anchors).broken);
}

TEST_F(Log, secrets_that_somebody_put_into_a_record_stay_out)
{
    const auto log = opened();
    auto record = audit_example("alice");
    record.before = R"({"old_password":"planted-1","robots":[{"secret":"planted-2","id":1}]})";
    record.after = R"({"token":"planted-3","comment":"kept","nested":{"client_secret":{"a":"planted-4"}}})";
    ASSERT_TRUE(run_to_end(log->record(record)));
    EXPECT_EQ(text().find("planted"), std::string::npos);
    EXPECT_NE(text().find("kept"), std::string::npos);
}

TEST_F(Log, nothing_that_a_client_sends_can_forge_a_line)
{
    const auto log = opened();
    auto record = audit_example("x\"}\n{\"block\":9,\"records\":0,\"hash\":\"\"}\n");
    record.user = "\xff\xfe{\"n\":1";
    record.before = "{\"a\":\n\"b\"}";
    ASSERT_TRUE(run_to_end(log->record(record)));
    ASSERT_TRUE(put(*log, "next"));
    EXPECT_FALSE(proof().broken);
    EXPECT_EQ(proof().head.record, 2U);
}

}  // namespace
}  // namespace entrepot
