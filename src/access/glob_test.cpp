#include "access/glob.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace entrepot {
namespace {

TEST(Glob, a_plain_text_matches_itself_alone)
{
    EXPECT_TRUE(glob_matches("app", "app"));
    EXPECT_FALSE(glob_matches("app", "apps"));
    EXPECT_FALSE(glob_matches("app", "ap"));
    EXPECT_FALSE(glob_matches("app", "team/app"));
}

TEST(Glob, a_star_stays_within_a_segment)
{
    EXPECT_TRUE(glob_matches("*", "app"));
    EXPECT_FALSE(glob_matches("*", "team/app"));
    EXPECT_TRUE(glob_matches("team-*/app", "team-a/app"));
    EXPECT_TRUE(glob_matches("team-*/app", "team-/app"));
    EXPECT_FALSE(glob_matches("team-*/app", "team-a/b/app"));
    EXPECT_TRUE(glob_matches("a*b*c", "axxbyyc"));
    EXPECT_FALSE(glob_matches("a*b*c", "axxbyy"));
}

TEST(Glob, two_stars_are_any_number_of_segments)
{
    EXPECT_TRUE(glob_matches("**", "app"));
    EXPECT_TRUE(glob_matches("**", "a/b/c"));
    EXPECT_TRUE(glob_matches("a/**", "a/b"));
    EXPECT_TRUE(glob_matches("a/**", "a/b/c"));
    EXPECT_TRUE(glob_matches("a/**", "a"));
    EXPECT_FALSE(glob_matches("a/**", "ab/c"));
    EXPECT_TRUE(glob_matches("**/app", "app"));
    EXPECT_TRUE(glob_matches("**/app", "a/b/app"));
    EXPECT_FALSE(glob_matches("**/app", "myapp"));
    EXPECT_FALSE(glob_matches("**/app", "a/myapp"));
    EXPECT_TRUE(glob_matches("a/**/z", "a/z"));
    EXPECT_TRUE(glob_matches("a/**/z", "a/b/c/z"));
    EXPECT_FALSE(glob_matches("a/**/z", "a/b/cz"));
}

TEST(Glob, two_stars_beside_text_stay_within_their_segment)
{
    EXPECT_TRUE(glob_matches("a**", "abc"));
    EXPECT_FALSE(glob_matches("a**", "a/b"));
}

TEST(Glob, a_question_mark_is_one_character_but_no_slash)
{
    EXPECT_TRUE(glob_matches("ap?", "app"));
    EXPECT_FALSE(glob_matches("ap?", "ap"));
    EXPECT_FALSE(glob_matches("a?b", "a/b"));
}

TEST(Glob, braces_hold_alternatives)
{
    EXPECT_TRUE(glob_matches("{web,api}", "web"));
    EXPECT_TRUE(glob_matches("{web,api}", "api"));
    EXPECT_FALSE(glob_matches("{web,api}", "db"));
    EXPECT_TRUE(glob_matches("team/{web-*,api}/x", "team/web-1/x"));
    EXPECT_TRUE(glob_matches("{a,b{c,d}}e", "bde"));
    EXPECT_FALSE(glob_matches("{a,b{c,d}}e", "be"));
    EXPECT_TRUE(glob_matches("{**/x,y}", "a/b/x"));
    EXPECT_TRUE(glob_matches("x{,-y}", "x"));
    EXPECT_TRUE(glob_matches("x{,-y}", "x-y"));
}

TEST(Glob, brackets_hold_characters_and_ranges)
{
    EXPECT_TRUE(glob_matches("v[0-9].*", "v1.2"));
    EXPECT_FALSE(glob_matches("v[0-9].*", "va.2"));
    EXPECT_TRUE(glob_matches("[abx-z]", "y"));
    EXPECT_FALSE(glob_matches("[abx-z]", "c"));
    EXPECT_TRUE(glob_matches("[^0-9]*", "main"));
    EXPECT_TRUE(glob_matches("[!0-9]*", "main"));
    EXPECT_FALSE(glob_matches("[^0-9]*", "1main"));
    EXPECT_FALSE(glob_matches("a[^b]c", "a/c"));
    EXPECT_TRUE(glob_matches("a[-]b", "a-b"));
    EXPECT_TRUE(glob_matches("a[b-]", "a-"));
    EXPECT_TRUE(glob_matches("{v[0-9],main}-x", "v3-x"));
    EXPECT_TRUE(glob_matches("{v[0-9],main}-x", "main-x"));
    for (const std::string_view pattern : {"[", "]", "[]", "[^]", "[a", "a]", "[[a]]", "[a,b]", "[*]", "a^b", "!"}) {
        EXPECT_FALSE(check_tag_glob(pattern)) << pattern;
        EXPECT_FALSE(glob_matches(pattern, "a")) << pattern;
    }
}

TEST(Glob, tags_have_characters_that_repositories_have_not)
{
    EXPECT_TRUE(check_tag_glob("RC[0-9]*"));
    EXPECT_FALSE(check_glob("RC[0-9]*"));
    EXPECT_TRUE(check_glob("team/**"));
    EXPECT_FALSE(check_tag_glob("team/**"));
}

TEST(Glob, patterns_that_are_none_match_nothing_and_are_refused)
{
    for (const std::string_view pattern : {"", "{a", "a}", "}a{"}) {
        EXPECT_FALSE(check_glob(pattern)) << pattern;
        EXPECT_FALSE(glob_matches(pattern, "a")) << pattern;
    }
    EXPECT_FALSE(check_glob(std::string(longest_glob + 1, 'a')));
    EXPECT_FALSE(check_glob("a b"));
    EXPECT_FALSE(check_glob("a'b"));
    EXPECT_TRUE(check_glob(std::string(longest_glob, 'a')));
    EXPECT_TRUE(check_glob("team/{a,b}/**"));
}

TEST(Glob, a_pattern_full_of_stars_answers_at_once)
{
    std::string pattern;
    for (int i = 0; i < 60; ++i) pattern += "*a";
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(250, 'a')));
}

TEST(PartitionPattern, a_cluster_reaches_to_its_partitions_and_no_further)
{
    EXPECT_TRUE(partition_matches("", "any/thing"));
    EXPECT_TRUE(partition_matches("east", "east"));
    EXPECT_TRUE(partition_matches("east", "east/gpu"));
    EXPECT_FALSE(partition_matches("east", "eastern/gpu"));
    EXPECT_TRUE(partition_matches("east/gpu", "east/gpu"));
    EXPECT_FALSE(partition_matches("east/gpu", "east"));
    EXPECT_FALSE(partition_matches("east/gpu", "east/cpu"));
}

}  // namespace
}  // namespace entrepot
