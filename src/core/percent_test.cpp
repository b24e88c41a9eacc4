#include "core/percent.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(Percent, escapes_all_but_unreserved_characters)
{
    EXPECT_EQ(percent_encoded("aZ09-._~ /+\xff"), "aZ09-._~%20%2F%2B%FF");
    EXPECT_EQ(percent_encoded("a/b c%\xc3\xa9"), "a%2Fb%20c%25%C3%A9");
}

TEST(Percent, reads_escapes_back_and_a_plus_as_a_space_where_forms_have_it)
{
    EXPECT_EQ(percent_decoded("a+b%20c%2f"), "a+b c/");
    EXPECT_EQ(percent_decoded("a+b%20c", true), "a b c");
    for (const auto* malformed : {"%", "a%4", "%zz"}) EXPECT_FALSE(percent_decoded(malformed)) << malformed;
}

}  // namespace
}  // namespace entrepot
