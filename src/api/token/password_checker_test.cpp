#include "api/token/password_checker.hpp"

#include "api/token/password.hpp"
#include "core/random.hpp"
#include "tests/support/fake_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace entrepot {
namespace {

class Checker : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        SystemRandom random;
        encoded = *hash_password("Secret123", random);
    }

    PasswordChecker::Check attempt(std::string password, std::string user = "alice", std::string source = "here") const
    {
        return {
            .user = user,
            .source = std::move(source),
            .password = password,
            .encoded = user == "nobody" ? "" : encoded,
            .alternative = {},
            .tag = user + "\n" + password
        };
    }

    // All at once, and their results in the order given.
    std::vector<Result<bool>> check_all(std::vector<PasswordChecker::Check> checks, bool stop_early = false)
    {
        asio::io_context loop{1};
        std::vector<std::optional<Result<bool>>> slots(checks.size());
        for (std::size_t i = 0; i < checks.size(); ++i) {
            asio::co_spawn(loop, store(checker, std::move(checks[i]), slots[i]), [](std::exception_ptr thrown) {
                if (thrown) std::rethrow_exception(thrown);
            });
        }
        if (stop_early) asio::post(loop, [this] { checker.stop(); });
        loop.run();
        std::vector<Result<bool>> results;
        for (auto& slot : slots) results.push_back(*std::move(slot));
        return results;
    }
    Result<bool> check(PasswordChecker::Check one) { return check_all({std::move(one)}).front(); }

    static std::string encoded;
    FakeClock clock;
    LoginThrottle throttle{clock};
    PasswordChecker checker{throttle};

private:
    static asio::awaitable<void>
    store(PasswordChecker& checker, PasswordChecker::Check check, std::optional<Result<bool>>& slot)
    {
        slot.emplace(co_await checker.check(std::move(check)));
    }
};
std::string Checker::encoded;

TEST_F(Checker, tells_right_from_wrong)
{
    EXPECT_TRUE(*check(attempt("Secret123")));
    EXPECT_FALSE(*check(attempt("Secret124")));
}

TEST_F(Checker, a_user_that_does_not_exist_costs_a_check_too)
{
    EXPECT_FALSE(*check(attempt("Secret123", "nobody")));
    EXPECT_EQ(checker.checks_run(), 1U);
}

TEST_F(Checker, the_same_secret_sent_many_times_at_once_is_checked_far_less_often)
{
    const auto results = check_all(std::vector(50, attempt("Secret123")));
    for (const auto& result : results) EXPECT_TRUE(*result);
    EXPECT_LE(checker.checks_run(), 5U);
}

TEST_F(Checker, a_wrong_secret_sent_many_times_at_once_is_not_many_failures)
{
    check_all(std::vector(50, attempt("wrong")));
    EXPECT_EQ(throttle.remaining("alice", "here").count(), 0);
}

TEST_F(Checker, different_secrets_of_one_user_all_get_their_own_answer)
{
    const auto results = check_all({attempt("a"), attempt("Secret123"), attempt("b")});
    EXPECT_FALSE(*results[0]);
    EXPECT_TRUE(*results[1]);
    EXPECT_FALSE(*results[2]);
}

TEST_F(Checker, sending_many_wrong_secrets_at_once_is_no_way_round_the_delay)
{
    std::vector<PasswordChecker::Check> checks;
    for (int i = 0; i < 40; ++i) checks.push_back(attempt("wrong" + std::to_string(i)));
    int refused = 0;
    for (const auto& result : check_all(std::move(checks))) {
        if (!result) {
            EXPECT_EQ(result.error().code(), Errc::too_many_requests);
            ++refused;
        }
    }
    EXPECT_EQ(refused, 30);
    EXPECT_EQ(checker.checks_run(), 10U);
}

TEST_F(Checker, right_credentials_pass_while_another_source_guesses)
{
    std::vector<PasswordChecker::Check> checks;
    for (int i = 0; i < 40; ++i) checks.push_back(attempt("wrong" + std::to_string(i), "alice", "attacker"));
    checks.push_back(attempt("Secret123", "alice", "home"));
    const auto results = check_all(std::move(checks));
    ASSERT_TRUE(results.back());
    EXPECT_TRUE(*results.back());
}

TEST_F(Checker, right_credentials_pass_when_another_source_is_delayed_for_the_same_secret)
{
    for (int i = 0; i < 10; ++i) throttle.failed("alice", "attacker");
    const auto results = check_all({attempt("Secret123", "alice", "attacker"), attempt("Secret123", "alice", "home")});
    ASSERT_FALSE(results[0]);
    EXPECT_EQ(results[0].error().code(), Errc::too_many_requests);
    EXPECT_TRUE(*results[1]);
}

TEST_F(Checker, the_delay_ends)
{
    for (int i = 0; i < 10; ++i) throttle.failed("alice", "here");
    EXPECT_FALSE(check(attempt("Secret123")));
    clock.advance(std::chrono::seconds{1});
    EXPECT_TRUE(*check(attempt("Secret123")));
    EXPECT_FALSE(*check(attempt("wrong")));
    EXPECT_EQ(throttle.remaining("alice", "here").count(), 0);
}

TEST_F(Checker, more_than_its_queue_holds_is_refused_and_everybody_is_answered)
{
    std::vector<PasswordChecker::Check> checks;
    for (int i = 0; i < 400; ++i) checks.push_back(attempt("wrong" + std::to_string(i)));
    int busy = 0;
    for (const auto& result : check_all(std::move(checks), true)) {
        if (!result && result.error().message().find("waiting") != std::string::npos) ++busy;
    }
    EXPECT_GT(busy, 0);
}

TEST_F(Checker, whoever_waits_when_it_stops_is_answered)
{
    checker.stop();
    const auto result = check(attempt("Secret123"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Errc::unavailable);
}

}  // namespace
}  // namespace entrepot
