#include "core/ascii.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(Ascii, folds_the_case_of_letters_alone)
{
    EXPECT_EQ(lowered("Ab[`{Z\xc3\x84"), "ab[`{z\xc3\x84");
    EXPECT_TRUE(same_word("Content-TYPE", "content-type"));
    EXPECT_FALSE(same_word("[", "{"));
    EXPECT_FALSE(same_word("a", "ab"));
}

TEST(Ascii, knows_a_token_of_http)
{
    EXPECT_TRUE(is_token("azAZ09!#$%&'*+-.^_`|~"));
    for (const char c : std::string_view{" \t\x7f\xe9\"(),/:;<=>?@[\\]{}"}) EXPECT_FALSE(is_token({&c, 1})) << c;
    EXPECT_FALSE(is_token(""));
}

TEST(Ascii, reads_digits_within_63_bits)
{
    EXPECT_EQ(parse_decimal("9223372036854775807"), 9223372036854775807U);
    for (const auto* refused : {"", "-1", "+1", "1 ", "9223372036854775808"}) EXPECT_FALSE(parse_decimal(refused));
}

}  // namespace
}  // namespace entrepot
