#include "access/selectors.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

TEST(Selectors, every_one_of_them_has_to_agree)
{
    const auto tags = Selectors::of_tags({{false, "v*"}, {true, "*-rc[0-9]"}}).value();
    EXPECT_TRUE(tags.choose("v1"));
    EXPECT_FALSE(tags.choose("v1-rc1"));
    EXPECT_FALSE(tags.choose("main"));
}

TEST(Selectors, read_back_as_they_were_written)
{
    const auto tags = Selectors::of_tags({{false, "{v*,V*}"}, {true, "*-rc[0-9]"}}).value();
    EXPECT_EQ(tags.text(), "matches {v*,V*}\nexcludes *-rc[0-9]");
    EXPECT_EQ(Selectors::parse(tags.text()).value(), tags);
    EXPECT_FALSE(Selectors::parse("likes v*"));
}

TEST(Selectors, are_refused_when_they_say_nothing_or_no_pattern)
{
    EXPECT_FALSE(Selectors::of_tags({}));
    EXPECT_FALSE(Selectors::of_tags({{false, "a b"}}));
    EXPECT_FALSE(Selectors::of_repositories({{false, "UPPER"}}));
    EXPECT_FALSE(Selectors::of_tags(std::vector<Selector>(9, {false, "a"})));
}

TEST(Selectors, know_when_nothing_escapes_them)
{
    EXPECT_TRUE(Selectors::of_tags({{false, "**"}}).value().choose_all());
    EXPECT_FALSE(Selectors::of_tags({{true, "**"}}).value().choose_all());
    EXPECT_FALSE(Selectors::of_tags({{false, "**"}, {true, "x"}}).value().choose_all());
}

}  // namespace
}  // namespace entrepot
