#include "access/token_text.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(TokenText, is_known_by_its_prefix_its_length_and_its_checksum)
{
    SystemRandom random;
    const auto token = make_access_token(random);
    EXPECT_TRUE(token.starts_with("ept_"));
    EXPECT_EQ(token.size(), 53U);
    EXPECT_TRUE(is_access_token(token));
    EXPECT_NE(make_access_token(random), token);
    for (std::size_t at = 0; at < token.size(); ++at) {
        auto mistyped = token;
        mistyped[at] = mistyped[at] == 'a' ? 'b' : 'a';
        EXPECT_FALSE(is_access_token(mistyped)) << at;
    }
    EXPECT_FALSE(is_access_token(token + "a"));
    EXPECT_FALSE(is_access_token(token.substr(1)));
    EXPECT_FALSE(is_access_token(""));
}

// The vector of FIPS 180-2, appendix B.1.
TEST(TokenText, is_stored_as_sha256)
{
    EXPECT_EQ(secret_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace entrepot
