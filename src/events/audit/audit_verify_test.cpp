#include "events/audit/audit_verify.hpp"

#include "tests/support/audit_fixture.hpp"

namespace entrepot {
namespace {

using Files = std::map<std::uint64_t, std::string>;

class Chain : public AuditTest {
protected:
    // Three segments with several blocks each, and an anchor at the end.
    void SetUp() override
    {
        auto log = opened(1'200);
        for (int i = 0; i < 9; ++i) ASSERT_TRUE(put(*log, "project-" + std::to_string(i)));
        anchors.push_back(anchor_at(log->position().head));
        log->stop();
        whole = store.files();
        ASSERT_GE(whole.size(), 3U);
        ASSERT_FALSE(proof(anchors).broken);
    }
    std::optional<AuditBreak> found(Files files)
    {
        store.set_files(std::move(files));
        return proof(anchors).broken;
    }
    std::vector<std::string> lines_of(const std::string& bytes)
    {
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < bytes.size();) {
            const auto end = bytes.find('\n', at) + 1;
            lines.push_back(bytes.substr(at, end - at));
            at = end;
        }
        return lines;
    }
    static std::string joined(const std::vector<std::string>& lines)
    {
        std::string text;
        for (const auto& line : lines) text += line;
        return text;
    }

    Files whole;
    std::vector<AuditAnchor> anchors;
};

TEST_F(Chain, any_changed_byte_is_found_with_its_segment)
{
    for (const auto& [number, bytes] : whole) {
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            auto files = whole;
            files[number][at] = static_cast<char>(files[number][at] ^ 1);
            const auto broken = found(std::move(files));
            ASSERT_TRUE(broken) << "segment " << number << " byte " << at;
            ASSERT_LE(broken->segment, number + 1) << "segment " << number << " byte " << at;
            ASSERT_GE(broken->segment, number) << "segment " << number << " byte " << at;
        }
    }
}

TEST_F(Chain, a_removed_record_is_found_with_its_number)
{
    auto files = whole;
    auto lines = lines_of(files[1]);
    ASSERT_TRUE(lines[3].starts_with("{\"n\":2,"));
    lines.erase(lines.begin() + 3);
    files[1] = joined(lines);
    const auto broken = found(files);
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->segment, 1U);
    EXPECT_EQ(broken->record, 2U);
}

TEST_F(Chain, a_removed_block_and_records_in_another_order_are_found)
{
    auto files = whole;
    auto lines = lines_of(files[1]);
    lines.erase(lines.begin() + 3, lines.begin() + 5);
    files[1] = joined(lines);
    EXPECT_TRUE(found(files));

    files = whole;
    lines = lines_of(files[1]);
    std::swap(lines[1], lines[3]);
    files[1] = joined(lines);
    EXPECT_TRUE(found(files));
    std::swap(lines[2], lines[4]);
    files[1] = joined(lines);
    EXPECT_TRUE(found(files));
}

TEST_F(Chain, a_removed_segment_is_found_wherever_it_was)
{
    for (const auto& [number, bytes] : whole) {
        auto files = whole;
        files.erase(number);
        const auto broken = found(files);
        ASSERT_TRUE(broken) << number;
    }
    EXPECT_TRUE(found({}));
}

TEST_F(Chain, segments_in_another_order_are_found)
{
    auto files = whole;
    std::swap(files[1], files[2]);
    EXPECT_TRUE(found(files));
}

TEST_F(Chain, an_end_that_was_anchored_can_not_be_cut_off)
{
    const auto last = std::prev(whole.end());
    auto files = whole;
    auto lines = lines_of(files[last->first]);
    lines.resize(lines.size() - 2);
    files[last->first] = joined(lines);
    const auto broken = found(files);
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->segment, last->first);
}

TEST_F(Chain, a_chain_that_was_rewritten_as_a_whole_contradicts_its_anchor)
{
    store.set_files({});
    auto log = opened(1'200);
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(put(*log, "other-" + std::to_string(i)));
    log->stop();
    EXPECT_FALSE(proof().broken);
    const auto broken = proof(anchors).broken;
    ASSERT_TRUE(broken);
    EXPECT_EQ(broken->record, 9U);
}

TEST_F(Chain, a_forged_record_that_segments_were_dropped_is_found)
{
    auto files = whole;
    files.erase(1);
    auto forged = audit_example("1");
    forged.operation = "delete";
    forged.resource_type = audit_segment_type;
    append_record_line(files.rbegin()->second, 10, forged);
    EXPECT_TRUE(found(files));
}

// The store as a kill leaves it: everything up to the last acknowledged block, and any part of the next write.
class Crash : public AuditTest {};

TEST_F(Crash, at_any_byte_of_the_last_write_loses_nothing_acknowledged_and_the_chain_goes_on)
{
    auto log = opened(4'000);
    ASSERT_TRUE(put(*log, "first"));
    ASSERT_TRUE(put(*log, "second"));
    const auto acknowledged = store.files();
    const auto anchors = std::vector{anchor_at(log->position().head)};
    for (int i = 0; i < 3; ++i) log->gather(audit_example("third-" + std::to_string(i)));
    log->flush();
    log->stop();
    const auto written = store.files();
    const auto from = acknowledged.at(1).size();
    const auto& bytes = written.at(1);
    ASSERT_GT(bytes.size(), from);

    for (auto end = from; end <= bytes.size(); ++end) {
        for (const bool zeros : {false, true}) {
            auto torn = bytes.substr(0, end);
            if (zeros) torn.resize(bytes.size());
            store.set_files({{1, torn}});
            auto again = opened(4'000);
            ASSERT_TRUE(put(*again, "afterwards"));
            again->stop();
            const auto shown = proof(anchors);
            ASSERT_FALSE(shown.broken) << end << ": " << shown.broken->what;
            ASSERT_TRUE(text().starts_with(acknowledged.at(1)));
            ASSERT_EQ(shown.head.record, end == bytes.size() ? 6U : 3U) << end;
        }
    }
}

TEST_F(Crash, at_any_byte_of_a_new_segment_goes_on_from_the_one_before)
{
    auto log = opened(600);
    ASSERT_TRUE(put(*log, "first"));
    ASSERT_TRUE(put(*log, "second"));
    ASSERT_TRUE(put(*log, "third"));
    log->stop();
    const auto written = store.files();
    ASSERT_EQ(written.size(), 2U);
    const auto& last = written.at(2);
    for (std::size_t end = 0; end < last.size(); ++end) {
        store.set_files({{1, written.at(1)}, {2, last.substr(0, end)}});
        auto again = opened(600);
        ASSERT_TRUE(put(*again, "afterwards"));
        again->stop();
        const auto shown = proof();
        ASSERT_FALSE(shown.broken) << end << ": " << shown.broken->what;
        ASSERT_GE(shown.head.record, 3U);
    }
}

TEST_F(Crash, with_one_segment_left_after_retention_keeps_the_numbers)
{
    auto log = opened();
    ASSERT_TRUE(put(*log, "old"));
    const auto anchors = std::vector{anchor_at(log->position().head)};
    clock.advance(std::chrono::hours{24 * 400});
    ASSERT_TRUE(put(*log, "new"));
    clock.advance(std::chrono::hours{24 * 400});
    ASSERT_TRUE(put(*log, "newest"));
    log->stop();
    const auto files = store.files();
    ASSERT_GT(files.begin()->first, 1U);
    log = opened();
    ASSERT_TRUE(put(*log, "afterwards"));
    EXPECT_FALSE(proof(anchors).broken);
}

TEST_F(Crash, damage_in_the_last_segment_is_kept_as_it_is_and_the_trail_goes_on_behind_it)
{
    auto log = opened();
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(put(*log, "p" + std::to_string(i)));
    log->stop();
    auto files = store.files();
    const auto at = files[1].find("p1");
    files[1][at] = 'q';
    const auto damaged = files[1];
    store.set_files(files);
    log = opened();
    ASSERT_TRUE(put(*log, "afterwards"));
    log->stop();
    EXPECT_EQ(store.files().at(1), damaged);
    EXPECT_NE(store.files().at(2).find("\"n\":5,"), std::string::npos);
    const auto shown = proof();
    ASSERT_TRUE(shown.broken);
    EXPECT_EQ(shown.broken->segment, 1U);
    EXPECT_EQ(shown.broken->record, 2U);
}

}  // namespace
}  // namespace entrepot
