#include "events/audit/audit_reader.hpp"

#include "tests/support/audit_fixture.hpp"

namespace entrepot {
namespace {

class Reader : public AuditTest {
protected:
    // Records of several segments, one a minute: user "alice" on the even ones, "bob" on the odd.
    void SetUp() override
    {
        auto log = opened(3'000);
        for (int i = 0; i < count; ++i) {
            auto record = audit_example("p" + std::to_string(i), i % 2 == 0 ? "alice" : "bob");
            record.at = start + i * minute;
            record.project_id = i % 3;
            record.tenant_id = i % 5;
            ASSERT_TRUE(run_to_end(log->record(record)));
            clock.advance(std::chrono::minutes{1});
        }
        log->stop();
        ASSERT_GT(store.files().size(), 3U);
    }
    static AuditQuery page(std::int64_t offset, std::int64_t limit)
    {
        AuditQuery query;
        query.list.offset = offset;
        query.list.limit = limit;
        return query;
    }
    std::vector<std::string> names(const AuditQuery& query)
    {
        std::vector<std::string> found;
        for (const auto& entry : reader.read_now(query)->entries) found.push_back(entry.record.resource);
        return found;
    }
    using Names = std::vector<std::string>;

    static constexpr int count = 60;
    static constexpr Micros minute = 60'000'000;
    static constexpr Micros start = 1'790'000'000'000'000;
    AuditReader reader{store};
};

TEST_F(Reader, lists_the_newest_first_and_knows_how_many_there_are)
{
    const auto found = reader.read_now(page(0, 3));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->total, count);
    EXPECT_TRUE(found->complete);
    EXPECT_EQ(names(page(0, 3)), (Names{"p59", "p58", "p57"}));
    EXPECT_EQ(found->entries[0].number, 60U);
    EXPECT_EQ(found->entries[0].instance, "one");
    EXPECT_EQ(found->entries[0].record.client, "192.0.2.1");
}

TEST_F(Reader, any_page_in_either_order_is_the_right_one)
{
    for (int offset = 0; offset < count; ++offset) {
        auto query = page(offset, 2);
        auto expected = Names{"p" + std::to_string(59 - offset)};
        if (offset < 59) expected.push_back("p" + std::to_string(58 - offset));
        ASSERT_EQ(names(query), expected) << offset;
        query.list.order.push_back({"op_time", false});
        expected = Names{"p" + std::to_string(offset)};
        if (offset < 59) expected.push_back("p" + std::to_string(offset + 1));
        ASSERT_EQ(names(query), expected) << offset;
    }
    EXPECT_EQ(names(page(count, 2)), Names{});
}

TEST_F(Reader, cursors_walk_through_everything_once)
{
    for (const bool descending : {true, false}) {
        auto query = page(0, 7);
        query.list.order.push_back({"op_time", descending});
        query.list.conditions.push_back({"username", ListCondition::Kind::equal, {"bob"}});
        std::size_t found = 0;
        std::string last;
        do {
            const auto next = reader.read_now(query);
            ASSERT_TRUE(next);
            for (const auto& entry : next->entries) {
                EXPECT_EQ(entry.record.user, "bob");
                EXPECT_NE(entry.record.resource, last);
                last = entry.record.resource;
                ++found;
            }
            query.cursor = next->next_cursor;
        } while (!query.cursor.empty());
        EXPECT_EQ(found, 30U);
        EXPECT_EQ(last, descending ? "p1" : "p59");
    }
}

TEST_F(Reader, asks_by_every_kind_of_condition)
{
    using Kind = ListCondition::Kind;
    const auto found = [&](ListCondition condition) {
        auto query = page(0, 100);
        query.list.conditions.push_back(std::move(condition));
        const auto answer = reader.read_now(query);
        EXPECT_EQ(answer->total, static_cast<std::int64_t>(answer->entries.size()));
        return answer->entries.size();
    };
    EXPECT_EQ(found({"username", Kind::equal, {"alice"}}), 30U);
    EXPECT_EQ(found({"username", Kind::equal, {"ALICE"}}), 0U);
    EXPECT_EQ(found({"resource", Kind::fuzzy, {"P5"}}), 11U);
    EXPECT_EQ(found({"resource", Kind::any_of, {"p1", "p2", "none"}}), 2U);
    EXPECT_EQ(found({"operation_result", Kind::equal, {"true"}}), 60U);
    EXPECT_EQ(found({"op_time", Kind::range, {audit_time(start + 10 * minute), audit_time(start + 19 * minute)}}), 10U);
    EXPECT_EQ(found({"op_time", Kind::range, {audit_time(start + 50 * minute), ""}}), 10U);
    EXPECT_EQ(found({"op_time", Kind::range, {"", audit_time(start)}}), 1U);
}

TEST_F(Reader, refuses_what_it_does_not_know)
{
    using Kind = ListCondition::Kind;
    for (const ListCondition& condition :
         {ListCondition{"password", Kind::equal, {"x"}},
          ListCondition{"op_time", Kind::equal, {"yesterday"}},
          ListCondition{"op_time", Kind::fuzzy, {"2026"}},
          ListCondition{"username", Kind::range, {"a", "b"}}}) {
        auto query = page(0, 10);
        query.list.conditions.push_back(condition);
        const auto answer = reader.read_now(query);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().code(), Errc::bad_request);
    }
    auto query = page(0, 10);
    query.list.order.push_back({"resource", false});
    EXPECT_FALSE(reader.read_now(query));
    for (const auto* cursor : {"x", "bmV3ZXN0", "bmV3ZXN0CmE", "!"}) {
        query = page(0, 10);
        query.cursor = cursor;
        const auto answer = reader.read_now(query);
        EXPECT_TRUE(!answer || answer->entries.empty()) << cursor;
    }
}

TEST_F(Reader, shows_those_of_some_projects_and_tenants_alone)
{
    auto query = page(0, 100);
    query.projects = std::vector<std::int64_t>{2};
    EXPECT_EQ(names(query).size(), 20U);
    query.tenants = std::vector<std::int64_t>{4};
    EXPECT_EQ(names(query).size(), 28U);
    query.projects.reset();
    EXPECT_EQ(names(query).size(), 12U);
    query.tenants = std::vector<std::int64_t>{};
    EXPECT_TRUE(names(query).empty());
}

TEST_F(Reader, stops_where_its_budget_ends_and_goes_on_from_there)
{
    AuditReader poor{store, 1};
    auto query = page(0, 100);
    query.list.conditions.push_back({"resource", ListCondition::Kind::equal, {"p3"}});
    int questions = 0;
    std::size_t found = 0;
    do {
        const auto answer = poor.read_now(query);
        ASSERT_TRUE(answer);
        EXPECT_EQ(answer->complete, answer->next_cursor.empty());
        found += answer->entries.size();
        query.cursor = answer->next_cursor;
        ++questions;
    } while (!query.cursor.empty());
    EXPECT_EQ(found, 1U);
    EXPECT_GT(questions, 1);
}

TEST_F(Reader, leaves_an_unfinished_line_alone)
{
    auto files = store.files();
    files.rbegin()->second += R"({"n":61,"at":"2026-)";
    store.set_files(files);
    EXPECT_EQ(names(page(0, 1)), Names{"p59"});
}

}  // namespace
}  // namespace entrepot
