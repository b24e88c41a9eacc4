#include "upkeep/retention/evaluate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace entrepot {
namespace {

constexpr Micros day = Micros{24} * 3600 * 1'000'000;
constexpr Micros now = 1000 * day;

Selectors any_repository()
{
    return Selectors::of_repositories({{false, "**"}}).value();
}

RetentionRule rule(RetentionTemplate keeps, std::int64_t number = 0, std::string tags = "**")
{
    return {
        .keeps = keeps,
        .number = number,
        .repositories = any_repository(),
        .tags = Selectors::of_tags({{false, std::move(tags)}}).value(),
    };
}

RetentionCandidate tag(std::string name, int pushed_days_ago, int pulled_days_ago = -1)
{
    return {
        .name = std::move(name),
        .pushed_at = now - pushed_days_ago * day,
        .created_at = now - pushed_days_ago * day,
        .pulled_at = pulled_days_ago < 0 ? 0 : now - pulled_days_ago * day,
    };
}

std::vector<std::size_t> all_of(const std::vector<RetentionRule>& rules)
{
    return rules_for(rules, "app");
}

// The names of what stays, in the order of the candidates.
std::string kept(const std::vector<RetentionRule>& rules, const std::vector<RetentionCandidate>& candidates)
{
    const auto verdicts = evaluate(rules, all_of(rules), candidates, now);
    std::string names;
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        if (!verdicts[i].goes()) names += (names.empty() ? "" : " ") + candidates[i].name;
    }
    return names;
}

using enum RetentionTemplate;

TEST(Retention, keeps_the_last_pushed_and_the_last_pulled)
{
    const std::vector tags{tag("a", 5), tag("b", 1, 9), tag("c", 3, 2), tag("d", 4)};
    EXPECT_EQ(kept({rule(latest_pushed, 2)}, tags), "b c");
    EXPECT_EQ(kept({rule(latest_pulled, 1)}, tags), "c");
    EXPECT_EQ(kept({rule(latest_pushed, 9)}, tags), "a b c d");
    EXPECT_EQ(kept({rule(latest_pushed, 0)}, tags), "");
}

TEST(Retention, counts_among_the_tags_a_rule_is_about_alone)
{
    const std::vector tags{tag("v1", 5), tag("main-1", 1), tag("v2", 3), tag("main-2", 2)};
    EXPECT_EQ(kept({rule(latest_pushed, 1, "v*")}, tags), "v2");
    EXPECT_EQ(kept({rule(latest_pushed, 1, "v*"), rule(latest_pushed, 1, "main-*")}, tags), "main-1 v2");
    EXPECT_EQ(kept({rule(always, 0, "v*")}, tags), "v1 v2");
}

TEST(Retention, keeps_by_days)
{
    auto moved = tag("moved", 1);
    moved.created_at = now - 30 * day;
    const std::vector tags{tag("old", 8, 1), tag("new", 7, 8), moved, tag("never", 9)};
    EXPECT_EQ(kept({rule(days_since_push, 7)}, tags), "new moved");
    EXPECT_EQ(kept({rule(days_since_pull, 7)}, tags), "old");
    EXPECT_EQ(kept({rule(days_since_creation, 8)}, tags), "old new");
}

TEST(Retention, keeps_versions)
{
    const std::vector tags{
        tag("1.0.0", 9),
        tag("v1.2.0", 9),
        tag("1.2.1", 9),
        tag("1.2.2-rc1", 9),
        tag("1.2.2", 9),
        tag("1.3.0", 9),
        tag("latest", 9),
    };
    auto range = rule(versions);
    range.range = VersionRange::parse(">=1.2 <1.3").value();
    EXPECT_EQ(kept({range}, tags), "v1.2.0 1.2.1 1.2.2-rc1 1.2.2");
    EXPECT_EQ(kept({rule(latest_patches, 1)}, tags), "1.0.0 1.2.2 1.3.0");
    EXPECT_EQ(kept({rule(latest_patches, 2)}, tags), "1.0.0 1.2.1 1.2.2 1.3.0");
    EXPECT_EQ(kept({rule(latest_patches, 1)}, {tag("1.0.0_a", 1), tag("1.0.0_b", 1)}), "1.0.0_a 1.0.0_b");
}

TEST(Retention, leaves_alone_what_is_immutable_in_use_or_without_a_tag_for_a_moment)
{
    auto immutable = tag("immutable", 900);
    immutable.immutable = true;
    auto in_use = tag("in-use", 900);
    in_use.in_use = true;
    auto recent = tag("sha256:aa", 0);
    recent.tagged = false;
    auto untagged = tag("sha256:bb", 1);
    untagged.tagged = false;
    const std::vector all{immutable, in_use, recent, untagged, tag("v1", 900)};
    EXPECT_EQ(kept({rule(latest_pushed, 0)}, all), "immutable in-use sha256:aa");
    auto with_untagged = rule(days_since_push, 30);
    EXPECT_EQ(kept({with_untagged}, all), "immutable in-use sha256:aa");
    with_untagged.untagged = true;
    EXPECT_EQ(kept({with_untagged}, all), "immutable in-use sha256:aa sha256:bb");
}

TEST(Retention, knows_which_rules_are_about_a_repository)
{
    auto only_team = rule(always);
    only_team.repositories = Selectors::of_repositories({{false, "team/**"}}).value();
    auto disabled = rule(always);
    disabled.disabled = true;
    const std::vector rules{only_team, disabled, rule(always)};
    EXPECT_EQ(rules_for(rules, "app"), std::vector<std::size_t>{2});
    EXPECT_EQ(rules_for(rules, "team/app"), (std::vector<std::size_t>{0, 2}));
}

TEST(Retention, says_why)
{
    const std::vector rules{rule(latest_pushed, 1, "v*"), rule(days_since_pull, 7)};
    const std::vector tags{tag("v2", 1), tag("v1", 2), tag("main", 3, 1), tag("test", 3)};
    const auto about = all_of(rules);
    const auto verdicts = evaluate(rules, about, tags, now);
    EXPECT_EQ(reason_of(verdicts[0], rules, about), "kept by rule 1 (the 1 most recently pushed)");
    EXPECT_EQ(
        reason_of(verdicts[1], rules, about),
        "rule 1 (the 1 most recently pushed) does not keep it, rule 2 (pulled within the last 7 days) does not keep it"
    );
    EXPECT_EQ(reason_of(verdicts[2], rules, about), "kept by rule 2 (pulled within the last 7 days)");
    EXPECT_EQ(
        reason_of(verdicts[3], rules, about),
        "rule 1 (the 1 most recently pushed) is not about it, rule 2 (pulled within the last 7 days) does not keep it"
    );
}

TEST(Retention, knows_rules_that_keep_nothing)
{
    auto disabled = rule(always);
    disabled.disabled = true;
    EXPECT_FALSE(keeps_nothing(std::vector<RetentionRule>{})) << "they are about no repository";
    EXPECT_TRUE(keeps_nothing(std::vector{disabled, rule(latest_pushed, 0)}));
    EXPECT_FALSE(keeps_nothing(std::vector{disabled, rule(latest_pushed, 1)}));
}

TEST(Retention, answers_the_same_whatever_the_order_of_candidates)
{
    std::vector<RetentionCandidate> tags;
    for (int i = 0; i < 200; ++i) tags.push_back(tag("t" + std::to_string(i), i % 7));
    std::map<std::string, bool> first;
    const std::vector rules{rule(latest_pushed, 50)};
    const auto verdicts = evaluate(rules, all_of(rules), tags, now);
    for (std::size_t i = 0; i < tags.size(); ++i) first[tags[i].name] = verdicts[i].goes();
    std::ranges::reverse(tags);
    const auto again = evaluate(rules, all_of(rules), tags, now);
    for (std::size_t i = 0; i < tags.size(); ++i) EXPECT_EQ(again[i].goes(), first[tags[i].name]) << tags[i].name;
}

}  // namespace
}  // namespace entrepot
