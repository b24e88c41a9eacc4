#include "api/management/api_audit.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_audit.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class ApiTrail : public testing::Test {
protected:
    static Response answer(unsigned status)
    {
        Response response;
        response.status = status;
        return response;
    }
    ApiTrace change(std::string_view pattern)
    {
        return {.who = alice, .change = std::make_shared<AuditRecord>(), .pattern = pattern};
    }
    ApiTrace read(std::string_view pattern) { return {.who = alice, .change = nullptr, .pattern = pattern}; }
    Result<Response> settle(const Request& request, ApiTrace trace, Result<Response> outcome)
    {
        return run_to_end(audit.settle(request, std::move(trace), std::move(outcome)));
    }
    AuditRecord only_record() const
    {
        const auto records = trail.records();
        EXPECT_EQ(records.size(), 1U);
        return records.empty() ? AuditRecord{} : records.front();
    }

    MemoryTrail trail;
    FakeClock clock;
    ApiAudit audit{trail, clock};
    std::shared_ptr<const Identity> alice = std::make_shared<Identity>(Identity{7, "alice", PrincipalKind::user});
    FakeRequest post{Method::post, "/api/v2.0/projects/team/members"};
    FakeRequest get{Method::get, "/api/v2.0/projects/team/members"};
    static constexpr std::string_view members = "projects/{project_name_or_id}/members";
};

TEST_F(ApiTrail, has_every_change_before_its_answer_with_what_the_request_tells)
{
    const auto settled = settle(post, change(members), answer(201));
    ASSERT_TRUE(settled);
    EXPECT_EQ(settled->status, 201U);
    EXPECT_EQ(trail.durable, 1);
    const auto record = only_record();
    EXPECT_EQ(record.operation, "create");
    EXPECT_EQ(record.resource_type, "members");
    EXPECT_EQ(record.resource, "projects/team/members");
    EXPECT_EQ(record.result, "ok");
    EXPECT_EQ(record.user, "alice");
    EXPECT_EQ(record.user_id, 7);
    EXPECT_EQ(record.client, "192.0.2.1");
    EXPECT_EQ(record.request_id, "test");
    EXPECT_EQ(record.at, clock.now());
}

TEST_F(ApiTrail, takes_the_handlers_words_first)
{
    auto trace = change(members);
    trace.change->operation = "delete";
    trace.change->resource_type = "member";
    trace.change->resource = "team/bob";
    trace.change->project_id = 3;
    trace.change->before = R"({"role":"guest"})";
    ASSERT_TRUE(settle(post, trace, answer(200)));
    const auto record = only_record();
    EXPECT_EQ(record.operation, "delete");
    EXPECT_EQ(record.resource_type, "member");
    EXPECT_EQ(record.resource, "team/bob");
    EXPECT_EQ(record.project_id, 3);
    EXPECT_EQ(record.before, R"({"role":"guest"})");
}

TEST_F(ApiTrail, names_the_operation_by_the_method_and_the_resource_by_the_routes_last_word)
{
    for (const auto& [method, operation] :
         {std::pair{Method::put, "update"}, {Method::patch, "update"}, {Method::del, "delete"}}) {
        MemoryTrail own;
        ApiAudit one{own, clock};
        const FakeRequest request{method, "/api/v2.0/robots/5"};
        ASSERT_TRUE(run_to_end(one.settle(request, change("robots/{robot_id}"), answer(200))));
        EXPECT_EQ(own.records().at(0).operation, operation);
        EXPECT_EQ(own.records().at(0).resource_type, "robots");
    }
}

TEST_F(ApiTrail, makes_a_change_without_a_record_an_error)
{
    trail.full = true;
    const auto settled = settle(post, change(members), answer(201));
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().code(), Errc::storage_full);
    EXPECT_TRUE(trail.records().empty());
}

TEST_F(ApiTrail, has_no_reads_but_those_that_were_denied)
{
    ASSERT_TRUE(settle(get, read(members), answer(200)));
    EXPECT_FALSE(settle(get, read(members), fail(Errc::not_found, "no such project")));
    EXPECT_FALSE(settle(get, read(members), fail(Errc::bad_request, "page is no number")));
    ASSERT_TRUE(settle(get, read(members), answer(404)));
    EXPECT_TRUE(trail.records().empty());
    const auto denied = settle(get, read(members), fail(Errc::denied, "you may not list members", "for the log"));
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().code(), Errc::denied) << "the answer stays what it was";
    const auto record = only_record();
    EXPECT_EQ(record.operation, "read");
    EXPECT_EQ(record.result, "denied");
    EXPECT_EQ(record.detail, "you may not list members");
}

TEST_F(ApiTrail, has_changes_that_failed_without_what_they_would_have_changed)
{
    auto trace = change(members);
    trace.change->before = "{}";
    trace.change->after = R"({"role":"admin"})";
    EXPECT_FALSE(settle(post, trace, fail(Errc::conflict, "alice is a member already")));
    const auto record = only_record();
    EXPECT_EQ(record.result, "failed");
    EXPECT_EQ(record.detail, "alice is a member already");
    EXPECT_TRUE(record.before.empty());
    EXPECT_TRUE(record.after.empty());
    EXPECT_EQ(trail.durable, 0) << "a failure is noted, it does not use the room for changes";
}

TEST_F(ApiTrail, tells_denied_changes_from_failed_ones)
{
    EXPECT_FALSE(settle(post, change(members), fail(Errc::denied, "no")));
    EXPECT_EQ(only_record().result, "denied");
    MemoryTrail own;
    ApiAudit one{own, clock};
    ASSERT_TRUE(run_to_end(one.settle(post, change(members), answer(403))));
    ASSERT_TRUE(run_to_end(one.settle(post, change(members), answer(409))));
    EXPECT_EQ(own.records().at(0).result, "denied");
    EXPECT_EQ(own.records().at(1).result, "failed");
}

TEST_F(ApiTrail, has_a_refused_caller_as_a_failed_log_in_under_the_name_as_given)
{
    const auto request = std::make_unique<FakeRequest>(Method::get, "/api/v2.0/users");
    request->with_basic("mallory", "guess");
    EXPECT_FALSE(
        settle(*request, {.who = nullptr, .change = nullptr, .pattern = "users"}, fail(Errc::unauthorized, "no"))
    );
    const auto record = only_record();
    EXPECT_EQ(record.operation, "login");
    EXPECT_EQ(record.result, "failed");
    EXPECT_EQ(record.user, "mallory");
    EXPECT_EQ(record.user_id, 0);
}

TEST_F(ApiTrail, has_a_request_without_credentials_as_denied_to_nobody)
{
    EXPECT_FALSE(settle(get, {.who = nullptr, .change = nullptr, .pattern = members}, fail(Errc::unauthorized, "no")));
    EXPECT_EQ(only_record().result, "denied");
    EXPECT_EQ(only_record().user, "");
}

TEST_F(ApiTrail, has_nothing_of_paths_that_are_no_operation)
{
    EXPECT_FALSE(settle(get, {.who = alice, .change = nullptr, .pattern = {}}, fail(Errc::denied, "no")));
    EXPECT_FALSE(settle(post, {.who = alice, .change = nullptr, .pattern = {}}, fail(Errc::not_found, "no")));
    EXPECT_TRUE(trail.records().empty());
}

TEST_F(ApiTrail, says_of_an_answer_given_again_that_nothing_was_done)
{
    auto replayed = answer(201);
    replayed.add("Idempotency-Replayed", "true");
    ASSERT_TRUE(settle(post, change(members), std::move(replayed)));
    EXPECT_EQ(only_record().result, "ok");
    EXPECT_EQ(only_record().detail, "answered again, not done again");
}

}  // namespace
}  // namespace entrepot
