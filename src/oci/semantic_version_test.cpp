#include "oci/semantic_version.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot {
namespace {

TEST(SemanticVersion, is_three_numbers_with_a_prerelease_and_a_build_perhaps)
{
    for (const std::string_view tag : {"1.2.3", "v1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3-alpha-x", "1.2.3_build.5"}) {
        EXPECT_TRUE(SemanticVersion::parse(tag)) << tag;
    }
    for (const std::string_view tag :
         {"",
          "v",
          "1",
          "1.2",
          "1.2.3.4",
          "01.2.3",
          "1.2.03",
          "1.2.3-",
          "1.2.3-a..b",
          "1.2.3-01",
          "1.2.x",
          "latest",
          "1.2.99999999999999999999999",
          "vv1.2.3",
          "1.2.3-a_"}) {
        EXPECT_EQ(SemanticVersion::parse(tag).has_value(), tag == "1.2.3-a_") << tag;
    }
}

TEST(SemanticVersion, is_ordered_by_precedence)
{
    const std::string_view rising[] = {
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "v1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "2.0.0",
    };
    for (std::size_t i = 1; i < std::size(rising); ++i) {
        EXPECT_LT(*SemanticVersion::parse(rising[i - 1]), *SemanticVersion::parse(rising[i])) << rising[i];
    }
    EXPECT_EQ(*SemanticVersion::parse("1.0.0_a"), *SemanticVersion::parse("v1.0.0_b"));
}

bool in(std::string_view range, std::string_view version)
{
    return VersionRange::parse(range).value().contains(*SemanticVersion::parse(version));
}

TEST(VersionRange, has_bounds)
{
    EXPECT_TRUE(in(">=1.2", "1.2.0"));
    EXPECT_TRUE(in(">=1.2 <2", "1.9.9"));
    EXPECT_FALSE(in(">=1.2, <2", "2.0.0"));
    EXPECT_FALSE(in(">=1.2", "1.1.9"));
    EXPECT_TRUE(in(">1.2", "1.3.0"));
    EXPECT_FALSE(in(">1.2", "1.2.9"));
    EXPECT_TRUE(in(">1.2.3", "1.2.4-rc1"));
    EXPECT_FALSE(in(">1.2.3", "1.2.3"));
    EXPECT_TRUE(in("<=1.2", "1.2.9"));
    EXPECT_FALSE(in("<=1.2", "1.3.0"));
    EXPECT_TRUE(in("<=1.2.3", "1.2.3"));
    EXPECT_TRUE(in("=1.2.3", "v1.2.3"));
}

TEST(VersionRange, has_families_and_alternatives)
{
    EXPECT_TRUE(in("1.2", "1.2.7"));
    EXPECT_FALSE(in("1.2.x", "1.3.0"));
    EXPECT_TRUE(in("1.x", "1.9.0"));
    EXPECT_TRUE(in("*", "7.0.0"));
    EXPECT_TRUE(in("^1.4", "1.9.0"));
    EXPECT_FALSE(in("^1.4", "2.0.0"));
    EXPECT_TRUE(in("^0.4.1", "0.4.9"));
    EXPECT_FALSE(in("^0.4.1", "0.5.0"));
    EXPECT_FALSE(in("^0.0.3", "0.0.4"));
    EXPECT_TRUE(in("~1.4.2", "1.4.9"));
    EXPECT_FALSE(in("~1.4.2", "1.5.0"));
    EXPECT_TRUE(in("~1", "1.5.0"));
    EXPECT_TRUE(in("1.2 || >=3", "4.0.0"));
    EXPECT_FALSE(in("1.2 || >=3", "2.0.0"));
}

TEST(VersionRange, that_says_nothing_is_refused)
{
    for (const std::string_view text : {"", " ", ">=", "abc", "1.2.3.4", ">=1 ||", "^*", "01.2", "1..2", "x.1.2"}) {
        EXPECT_FALSE(VersionRange::parse(text)) << text;
    }
    EXPECT_FALSE(VersionRange::parse(std::string(129, '1')));
}

}  // namespace
}  // namespace entrepot
