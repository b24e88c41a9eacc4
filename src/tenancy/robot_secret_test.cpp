#include "tenancy/robot_secret.hpp"

#include <gtest/gtest.h>

#include <set>

namespace entrepot {
namespace {

TEST(RobotSecret, a_made_one_has_32_letters_and_digits_of_all_sorts_and_is_never_the_same)
{
    SystemRandom random;
    std::set<std::string> seen;
    std::set<char> letters;
    for (int i = 0; i < 500; ++i) {
        const auto secret = make_robot_secret(random);
        EXPECT_EQ(secret.size(), 32U);
        EXPECT_TRUE(check_robot_secret(secret)) << secret;
        EXPECT_TRUE(seen.insert(secret).second);
        letters.insert(secret.begin(), secret.end());
    }
    EXPECT_EQ(letters.size(), 62U) << "every letter comes up among 16,000";
}

TEST(RobotSecret, a_chosen_one_follows_harbors_rule)
{
    EXPECT_TRUE(check_robot_secret("Abcdefg1"));
    EXPECT_TRUE(check_robot_secret("Aa1" + std::string(125, '!')));
    for (const std::string& secret : {
             std::string{},
             std::string{"Abcdef1"},
             "Aa1" + std::string(126, 'x'),
             std::string{"abcdefg1"},
             std::string{"ABCDEFG1"},
             std::string{"Abcdefgh"},
             std::string{"Abcdefg 1"},
             std::string{"Abcdefg1\n"},
             std::string{"Abcdefg1\xc3\xa9"},
         }) {
        const auto checked = check_robot_secret(secret);
        ASSERT_FALSE(checked) << secret;
        EXPECT_EQ(checked.error().code(), Errc::bad_request);
        if (!secret.empty()) EXPECT_EQ(checked.error().message().find(secret), std::string::npos);
    }
}

}  // namespace
}  // namespace entrepot
