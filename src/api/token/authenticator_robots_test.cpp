#include "tests/support/authentication_fixture.hpp"

namespace entrepot {
namespace {

using Authentication = AuthenticationFixture;

TEST_F(Authentication, a_robots_secret_costs_no_password_hash_and_its_use_is_noted)
{
    const auto robot = add_robot("robots-own-secret");
    const auto header = basic("robot$team+ci", "robots-own-secret");
    const auto caller = authenticate(header);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->kind, PrincipalKind::robot);
    EXPECT_TRUE(authenticator.peek(header));
    EXPECT_EQ(authenticator.password_hashes_run(), 0U);
    EXPECT_FALSE(run_to_end(authenticator.log_in({"robot$team+ci", "robots-own-secret"}, "192.0.2.1")));
    ASSERT_TRUE(run_to_end(authenticator.flush_uses()));
    ASSERT_EQ(access_tokens.uses.size(), 1U);
    EXPECT_EQ(access_tokens.uses.front().kind, CredentialUse::Kind::robot);
    EXPECT_EQ(access_tokens.uses.front().id, robot);
    EXPECT_EQ(access_tokens.uses.front().at, clock.now());
}

TEST_F(Authentication, a_rotated_robot_secret_is_good_for_a_while)
{
    const auto robot = add_robot("new-secret");
    accounts.at(robot).robot.previous = secret_hash("old-secret");
    accounts.at(robot).robot.previous_until = clock.now() + 5'000'000;
    noticed();
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "old-secret")));
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "new-secret")));
    clock.advance(std::chrono::seconds{5});
    expect_unauthorized(basic("robot$team+ci", "old-secret"));
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "new-secret")));
}

TEST_F(Authentication, a_robot_is_refused_when_it_is_expired_disabled_or_has_another_secret_now)
{
    const auto robot = add_robot("secret");
    const auto header = basic("robot$team+ci", "secret");
    ASSERT_TRUE(authenticate(header));
    accounts.at(robot).robot.current = secret_hash("another");
    noticed();
    expect_unauthorized(header);
    accounts.at(robot).robot.current = secret_hash("secret");
    accounts.at(robot).robot.expires_at = clock.now();
    noticed();
    expect_unauthorized(header);
    accounts.at(robot).robot.expires_at = 0;
    accounts.at(robot).disabled = true;
    noticed();
    expect_unauthorized(header);
}

class ChosenSecrets : public Authentication {
protected:
    ChosenSecrets()
    {
        robot = add_robot("made-here");
        accounts.at(robot).robot.current = encoded;  // of Secret123
        noticed();
    }
    std::int64_t robot = 0;
    const std::string header = basic("robot$team+ci", "Secret123");
};

TEST_F(ChosenSecrets, are_hashed_like_passwords_and_remembered_like_them)
{
    EXPECT_FALSE(authenticator.peek(header));
    const auto caller = authenticate(header);
    ASSERT_TRUE(caller);
    EXPECT_EQ(caller->identity->kind, PrincipalKind::robot);
    EXPECT_EQ(authenticator.password_hashes_run(), 1U);
    EXPECT_TRUE(authenticator.peek(header));
    EXPECT_TRUE(authenticate(header));
    EXPECT_EQ(authenticator.password_hashes_run(), 1U) << "remembered";
    clock.advance(PasswordMemory::lifetime);
    EXPECT_FALSE(authenticator.peek(header));
    EXPECT_TRUE(authenticate(header));
    EXPECT_EQ(authenticator.password_hashes_run(), 2U);
    ASSERT_TRUE(run_to_end(authenticator.flush_uses()));
    EXPECT_EQ(access_tokens.uses.front().id, robot);
}

TEST_F(ChosenSecrets, are_no_log_in_of_a_person_and_their_stored_form_is_no_secret)
{
    EXPECT_FALSE(run_to_end(authenticator.log_in({"robot$team+ci", "Secret123"}, "192.0.2.1")));
    expect_unauthorized(basic("robot$team+ci", encoded));
    EXPECT_EQ(hashes_of(basic("robot$team+ci", "Wrong1234")), 2U) << "as for any wrong password";
}

TEST_F(ChosenSecrets, that_are_guessed_hold_the_guesser_up)
{
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(authenticate(basic("robot$team+ci", "Wrong" + std::to_string(i))));
    const auto held = authenticate(header);
    ASSERT_FALSE(held);
    EXPECT_EQ(held.error().code(), Errc::too_many_requests);
    EXPECT_TRUE(authenticate(header, "198.51.100.1"));
}

TEST_F(ChosenSecrets, end_with_the_overlap_though_they_are_remembered)
{
    ASSERT_TRUE(authenticate(header));
    auto& secrets = accounts.at(robot).robot;
    secrets.previous = secrets.current;
    secrets.previous_until = clock.now() + 5'000'000;
    secrets.current = secret_hash("made-later");
    noticed();
    EXPECT_TRUE(authenticate(header));
    EXPECT_TRUE(authenticator.peek(header));
    const auto before = authenticator.password_hashes_run();
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "made-later")));
    EXPECT_EQ(authenticator.password_hashes_run(), before) << "a made one stays fast";
    clock.advance(std::chrono::seconds{5});
    expect_unauthorized(header);
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "made-later")));
}

TEST_F(ChosenSecrets, of_which_one_follows_another_are_both_good_for_a_while)
{
    auto& secrets = accounts.at(robot).robot;
    secrets.previous = secrets.current;
    secrets.previous_until = clock.now() + 5'000'000;
    secrets.current = *hash_password("Another123", random);
    noticed();
    EXPECT_TRUE(authenticate(header));
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "Another123")));
    clock.advance(std::chrono::seconds{5});
    expect_unauthorized(header);
    EXPECT_TRUE(authenticate(basic("robot$team+ci", "Another123")));
}

TEST_F(ChosenSecrets, of_a_robot_that_is_disabled_or_expired_are_good_for_nothing)
{
    ASSERT_TRUE(authenticate(header));
    accounts.at(robot).robot.expires_at = clock.now();
    noticed();
    expect_unauthorized(header);
    accounts.at(robot).robot.expires_at = 0;
    accounts.at(robot).disabled = true;
    noticed();
    expect_unauthorized(header);
}

}  // namespace
}  // namespace entrepot
