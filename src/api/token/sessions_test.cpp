#include "api/token/sessions.hpp"

#include "access/token_text.hpp"
#include "api/token/password.hpp"
#include "api/token/session_cookie.hpp"
#include "core/run_to_end.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_request.hpp"
#include "tests/support/memory_accounts.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class BrowserSession : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom system;
        encoded = *hash_password("Secret123", system);
    }
    BrowserSession()
    {
        Account account;
        account.name = "alice";
        account.password_hash = encoded;
        account.credential_version = 1;
        alice = run_to_end(accounts.create(account))->id;
    }
    std::string begin()
    {
        const auto caller = run_to_end(authenticator.log_in({"alice", "Secret123"}, "192.0.2.1"));
        EXPECT_TRUE(caller);
        return *run_to_end(sessions.begin(*caller, "192.0.2.1"));
    }
    Result<Caller> find(std::string id) { return run_to_end(sessions.find(std::move(id))); }
    void expect_ended(const std::string& id)
    {
        const auto found = find(id);
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code(), Errc::unauthorized);
    }
    void noticed() { EXPECT_TRUE(run_to_end(directory.catch_up())); }

    static std::string encoded;
    std::int64_t alice = 0;
    MemoryAccounts accounts;
    MemoryAccessTokens access_tokens;
    MemorySessions catalog;
    MemoryKeys key_catalog;
    FakeClock clock;
    SystemRandom random;
    TokenSettings settings;
    KeyRing keys{key_catalog, *MasterKey::parse(std::string(64, '1')), settings, clock, random};
    AccessPolicy policy{ProjectCreation::admins, clock};
    MemoryAccess access{accounts, access_tokens};
    AccessDirectory directory{access, policy};
    Authenticator authenticator{{accounts, access_tokens, keys, policy, directory, clock, random}, settings};
    Sessions sessions{catalog, authenticator, clock, random, [] { return seconds{minutes{60}}; }};
};
std::string BrowserSession::encoded;

TEST_F(BrowserSession, is_its_owner_and_only_its_hash_is_stored)
{
    const auto id = begin();
    const auto caller = find(id);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->name, "alice");
    EXPECT_EQ(caller->credential_version, 1);
    ASSERT_EQ(catalog.stored.size(), 1U);
    EXPECT_EQ(catalog.stored.begin()->first, secret_hash(id));
    expect_ended(std::string(43, 'A'));
}

TEST_F(BrowserSession, has_another_id_each_time)
{
    EXPECT_NE(begin(), begin());
}

TEST_F(BrowserSession, is_read_once_a_second)
{
    const auto id = begin();
    ASSERT_TRUE(find(id));
    const auto reads = catalog.reads;
    ASSERT_TRUE(find(id));
    EXPECT_EQ(catalog.reads, reads);
    clock.advance(std::chrono::milliseconds{1'001});
    ASSERT_TRUE(find(id));
    EXPECT_EQ(catalog.reads, reads + 1);
}

TEST_F(BrowserSession, ends_after_an_idle_hour_and_lives_on_while_it_is_used)
{
    const auto used = begin();
    const auto idle = begin();
    for (int i = 0; i < 3; ++i) {
        clock.advance(minutes{29});
        EXPECT_TRUE(find(used));
    }
    expect_ended(idle);
    clock.advance(minutes{60});
    expect_ended(used);
}

TEST_F(BrowserSession, is_extended_once_a_minute_at_most)
{
    const auto id = begin();
    for (int i = 0; i < 50; ++i) {
        clock.advance(seconds{2});
        ASSERT_TRUE(find(id));
    }
    EXPECT_EQ(catalog.extensions, 1);
}

TEST_F(BrowserSession, ends_with_the_log_out_at_once)
{
    const auto id = begin();
    ASSERT_TRUE(find(id));
    ASSERT_TRUE(run_to_end(sessions.end(id)));
    expect_ended(id);
}

TEST_F(BrowserSession, ends_when_the_password_changes)
{
    const auto id = begin();
    ASSERT_TRUE(find(id));
    ASSERT_TRUE(run_to_end(accounts.set_password(alice, encoded, {})));
    noticed();
    expect_ended(id);
}

TEST_F(BrowserSession, ends_when_its_owner_is_disabled)
{
    const auto id = begin();
    ASSERT_TRUE(find(id));
    accounts.at(alice).disabled = true;
    noticed();
    expect_ended(id);
}

TEST(SessionCookie, is_found_among_others_and_is_never_anything_else)
{
    const std::string id(43, 'x');
    const auto request = [](std::string_view cookie) {
        FakeRequest made{Method::get, "/"};
        made.with("Cookie", cookie);
        return session_of(made);
    };
    EXPECT_EQ(request("sid=" + id), id);
    EXPECT_EQ(request("a=b; sid=" + id + "; c=d"), id);
    EXPECT_FALSE(request("xsid=" + id));
    EXPECT_FALSE(request("sid=" + id + "y"));
    EXPECT_FALSE(request("sid=" + std::string(42, 'x') + "'"));
    EXPECT_FALSE(request("sid="));
    EXPECT_FALSE(session_of(FakeRequest{Method::get, "/"}));
}

TEST(SessionCookie, cannot_be_read_by_pages_or_sent_by_other_sites)
{
    Response response;
    set_session_cookie(FakeRequest{Method::post, "/c/login"}, response, "id");
    EXPECT_EQ(response.headers, "Set-Cookie: sid=id; Path=/; HttpOnly; SameSite=Lax\r\n");
}

TEST(CsrfToken, belongs_to_one_session)
{
    const std::string one(43, 'a');
    const std::string other(43, 'b');
    EXPECT_TRUE(is_csrf_token(one, csrf_token(one)));
    EXPECT_FALSE(is_csrf_token(other, csrf_token(one)));
    EXPECT_FALSE(is_csrf_token(one, ""));
    EXPECT_FALSE(is_csrf_token(one, one));
}

}  // namespace
}  // namespace entrepot
