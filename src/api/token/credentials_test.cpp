#include "api/token/credentials.hpp"

#include "core/bytes.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::optional<BasicCredentials> parse(std::string_view text)
{
    return parse_basic(to_base64(as_bytes(text)));
}

TEST(Credentials, the_case_of_the_scheme_does_not_matter)
{
    EXPECT_EQ(split_authorization("Basic abc").scheme, Authorization::Scheme::basic);
    EXPECT_EQ(split_authorization("bASIC abc").scheme, Authorization::Scheme::basic);
    EXPECT_EQ(split_authorization("BEARER abc").scheme, Authorization::Scheme::bearer);
    EXPECT_EQ(split_authorization("bearer   abc").value, "abc");
}

TEST(Credentials, other_schemes_and_no_scheme_are_other)
{
    EXPECT_EQ(split_authorization("Digest abc").scheme, Authorization::Scheme::other);
    EXPECT_EQ(split_authorization("Bearer").scheme, Authorization::Scheme::other);
    EXPECT_EQ(split_authorization("").scheme, Authorization::Scheme::other);
    EXPECT_EQ(split_authorization("Bearer ").value, "");
}

TEST(Credentials, a_password_may_hold_colons)
{
    const auto credentials = parse("alice:a:b:c");
    ASSERT_TRUE(credentials);
    EXPECT_EQ(credentials->user, "alice");
    EXPECT_EQ(credentials->password, "a:b:c");
}

TEST(Credentials, refuses_what_is_not_a_user_and_a_password)
{
    EXPECT_FALSE(parse_basic("%%%"));
    EXPECT_FALSE(parse_basic(""));
    EXPECT_FALSE(parse("alice"));
    EXPECT_FALSE(parse(":secret"));
    EXPECT_FALSE(parse("ali\nce:secret"));
    EXPECT_FALSE(parse(std::string_view{"alice:se\0cret", 13}));
    EXPECT_FALSE(parse(std::string(256, 'a') + ":secret"));
    EXPECT_FALSE(parse("alice:" + std::string(1'025, 'a')));
    EXPECT_FALSE(parse_basic(std::string(1'000'000, 'A')));
}

}  // namespace
}  // namespace entrepot
