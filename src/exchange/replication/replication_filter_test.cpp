#include "exchange/replication/replication_filter.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

ReplicationFilterSet filters(std::vector<ReplicationFilter> list, std::string range = {})
{
    ReplicationPolicy policy;
    policy.filters = std::move(list);
    policy.version_range = std::move(range);
    return ReplicationFilterSet{policy};
}

TEST(ReplicationFilters, match_whole_names_of_repositories)
{
    const auto set = filters({{.type = "name", .values = {"shop/**"}}});
    EXPECT_TRUE(set.wants_repository("shop/web"));
    EXPECT_TRUE(set.wants_repository("shop/team/web"));
    EXPECT_FALSE(set.wants_repository("other/shop/web"));
    EXPECT_EQ(set.prefix(), "shop/");
    EXPECT_FALSE(set.names());
    EXPECT_TRUE(filters({}).wants_repository("any/thing"));
    EXPECT_TRUE(filters({{.type = "name", .values = {""}}}).wants_repository("any/thing")) << "Harbor's empty filter";
    EXPECT_FALSE(filters({{.type = "name", .values = {"a/*"}, .excludes = true}}).wants_repository("a/b"));
    EXPECT_FALSE(filters({{.type = "resource", .values = {"chart"}}}).wants_repository("a/b"));
    EXPECT_TRUE(filters({{.type = "resource", .values = {"image"}}}).wants_repository("a/b"));
}

TEST(ReplicationFilters, name_repositories_where_they_can)
{
    using Texts = std::vector<std::string>;
    EXPECT_EQ(
        filters({{.type = "name", .values = {"library/{redis,alpine}"}}}).names(),
        (Texts{"library/alpine", "library/redis"})
    );
    EXPECT_EQ(texts_of_glob("a/b"), Texts{"a/b"});
    EXPECT_EQ(texts_of_glob("{a,b}/{c,d}"), (Texts{"a/c", "a/d", "b/c", "b/d"}));
    EXPECT_EQ(texts_of_glob("a/{b{1,2},c}"), (Texts{"a/b1", "a/b2", "a/c"}));
    EXPECT_FALSE(texts_of_glob("a/*"));
    EXPECT_FALSE(texts_of_glob("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{c,d}")) << "a thousand";
}

TEST(ReplicationFilters, choose_tags_by_globs_and_by_versions)
{
    const auto set = filters(
        {{.type = "tag", .values = {"v*"}}, {.type = "tag", .values = {"*-rc*"}, .excludes = true}}, ">=1.2 <2"
    );
    EXPECT_TRUE(set.wants_tag("v1.2.0"));
    EXPECT_TRUE(set.wants_tag("v1.9.3"));
    EXPECT_FALSE(set.wants_tag("v1.9.3-rc1"));
    EXPECT_FALSE(set.wants_tag("v2.0.0"));
    EXPECT_FALSE(set.wants_tag("vnext")) << "no version";
    EXPECT_FALSE(set.wants_tag("1.9.3"));
    EXPECT_FALSE(filters({}, "nonsense>>").wants_repository("a/b")) << "what can't be read chooses nothing";
}

TEST(ReplicationFilters, want_all_of_the_labels)
{
    const auto set = filters({{.type = "label", .values = {"prod", "eu"}}});
    EXPECT_TRUE(set.asks_for_labels());
    EXPECT_TRUE(set.wants_labels({"eu", "x", "prod"}));
    EXPECT_FALSE(set.wants_labels({"eu"}));
    EXPECT_FALSE(filters({{.type = "label", .values = {"eu"}, .excludes = true}}).wants_labels({"eu"}));
}

TEST(DayWindows, open_and_close_also_over_midnight)
{
    constexpr Micros minute = 60'000'000;
    constexpr Micros day = 24 * 60 * minute;
    const auto at = [&](std::int64_t hour, std::int64_t min) { return 20'000 * day + (hour * 60 + min) * minute; };
    const DayWindow night{.from = 22 * 60, .until = 6 * 60};
    EXPECT_EQ(wait_for_window(night, at(23, 0)), 0);
    EXPECT_EQ(wait_for_window(night, at(5, 59)), 0);
    EXPECT_EQ(wait_for_window(night, at(6, 0)), 16 * 60 * minute);
    EXPECT_EQ(wait_for_window(night, at(21, 59) + 30'000'000), 30'000'000);
    const DayWindow noon{.from = 12 * 60, .until = 13 * 60};
    EXPECT_EQ(wait_for_window(noon, at(12, 30)), 0);
    EXPECT_EQ(wait_for_window(noon, at(13, 0)), 23 * 60 * minute);
    EXPECT_EQ(wait_for_window({}, at(3, 3)), 0);
}

}  // namespace
}  // namespace entrepot
