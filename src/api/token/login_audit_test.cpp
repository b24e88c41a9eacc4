#include "api/token/login_audit.hpp"

#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_audit.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class LogIns : public testing::Test {
protected:
    AuditRecord only_record() const
    {
        const auto records = trail.records();
        EXPECT_EQ(records.size(), 1U);
        return records.empty() ? AuditRecord{} : records.front();
    }
    static Error refusal(Errc code) { return Error{code, "wrong user name or password", "only for the log"}; }

    MemoryTrail trail;
    FakeClock clock;
    LoginAudit audit{trail, clock};
    FakeRequest request{Method::get, "/service/token"};
    Identity alice{7, "alice", PrincipalKind::user};
};

TEST_F(LogIns, are_recorded_with_who_how_when_and_from_where)
{
    ASSERT_TRUE(run_to_end(audit.succeeded(request, alice, "refresh token")));
    const auto record = only_record();
    EXPECT_EQ(record.operation, "login");
    EXPECT_EQ(record.resource_type, "user");
    EXPECT_EQ(record.resource, "alice");
    EXPECT_EQ(record.user, "alice");
    EXPECT_EQ(record.user_id, 7);
    EXPECT_EQ(record.result, "ok");
    EXPECT_EQ(record.detail, "refresh token");
    EXPECT_EQ(record.client, "192.0.2.1");
    EXPECT_EQ(record.request_id, "test");
    EXPECT_EQ(record.at, clock.now());
}

TEST_F(LogIns, that_are_repeated_name_no_single_request)
{
    audit.repeated(request, alice);
    const auto record = only_record();
    EXPECT_EQ(record.operation, "login");
    EXPECT_EQ(record.user_id, 7);
    EXPECT_EQ(record.detail, "password");
    EXPECT_TRUE(record.request_id.empty());
}

TEST_F(LogIns, that_failed_are_recorded_under_the_name_as_given_which_nobody_has_proven)
{
    ASSERT_TRUE(run_to_end(audit.failed(request, "alice", refusal(Errc::unauthorized))));
    const auto record = only_record();
    EXPECT_EQ(record.operation, "login");
    EXPECT_EQ(record.result, "failed");
    EXPECT_EQ(record.user, "alice");
    EXPECT_EQ(record.user_id, 0);
    EXPECT_EQ(record.detail, "wrong user name or password") << "what is for the log stays in the log";
}

TEST_F(LogIns, end_with_a_record_too)
{
    ASSERT_TRUE(run_to_end(audit.logged_out(request, alice)));
    EXPECT_EQ(only_record().operation, "logout");
    EXPECT_EQ(only_record().user_id, 7);
}

TEST_F(LogIns, do_not_wait_for_a_trail_that_is_full)
{
    trail.full = true;
    EXPECT_TRUE(run_to_end(audit.succeeded(request, alice, "password")));
    EXPECT_TRUE(run_to_end(audit.failed(request, "alice", refusal(Errc::unauthorized))));
    EXPECT_EQ(trail.durable, 0);
}

TEST_F(LogIns, fail_by_wrong_and_by_too_many_credentials_alone)
{
    EXPECT_TRUE(LoginAudit::is_failure(refusal(Errc::unauthorized)));
    EXPECT_TRUE(LoginAudit::is_failure(refusal(Errc::oauth_invalid_grant)));
    EXPECT_TRUE(LoginAudit::is_failure(refusal(Errc::too_many_requests)));
    EXPECT_FALSE(LoginAudit::is_failure(refusal(Errc::denied)));
    EXPECT_FALSE(LoginAudit::is_failure(refusal(Errc::unavailable)));
    EXPECT_FALSE(LoginAudit::is_failure(refusal(Errc::oauth_invalid_request)));
}

TEST_F(LogIns, take_the_claimed_name_from_basic_credentials_alone)
{
    EXPECT_EQ(claimed_user(request), "");
    EXPECT_EQ(claimed_user(FakeRequest{Method::get, "/"}.with("Authorization", "Bearer abc")), "");
    EXPECT_EQ(claimed_user(FakeRequest{Method::get, "/"}.with("Authorization", "Basic !!")), "");
    EXPECT_EQ(claimed_user(FakeRequest{Method::get, "/"}.with_basic("bob", "secret:with:colons")), "bob");
}

}  // namespace
}  // namespace entrepot
