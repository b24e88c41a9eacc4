#include "access/push_policy.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace entrepot {
namespace {

PushPolicy policy(std::string name)
{
    return {.name = std::move(name), .repositories = Selectors::of_repositories({{false, "**"}}).value()};
}

TEST(PushPolicies, ask_repositories_for_their_names)
{
    auto naming = policy("naming");
    naming.names = Selectors::of_repositories({{false, "team-*/**"}}).value();
    const std::vector policies{naming};
    EXPECT_FALSE(refusal_of_repository(policies, "p/team-a/app"));
    EXPECT_EQ(
        refusal_of_repository(policies, "p/app"),
        "the repository p/app is refused by the push policy \"naming\": repositories must match team-*/**"
    );
    EXPECT_FALSE(refusal_of_tag(policies, "p/app", "v1"));
}

TEST(PushPolicies, ask_tags_for_their_names)
{
    auto branches = policy("branches");
    branches.tags = Selectors::of_tags({{false, "{main-*,v*}"}, {true, "v0*"}}).value();
    auto no_latest = policy("no latest");
    no_latest.tags = Selectors::of_tags({{true, "latest"}}).value();
    EXPECT_FALSE(refusal_of_tag(std::vector{branches}, "p/app", "main-1"));
    EXPECT_EQ(
        refusal_of_tag(std::vector{branches}, "p/app", "v0.1"),
        "the tag p/app:v0.1 is refused by the push policy \"branches\": tags must match {main-*,v*} and not match "
        "v0*"
    );
    EXPECT_TRUE(refusal_of_tag(std::vector{no_latest}, "p/app", "latest"));
    EXPECT_FALSE(refusal_of_tag(std::vector{no_latest}, "p/app", "1"));
    EXPECT_FALSE(refusal_of_tag(std::vector{branches}, "p/app", "sha256-" + std::string(64, 'a') + ".sig"));
}

TEST(PushPolicies, ask_for_versions_in_the_repositories_they_are_about)
{
    auto versions = policy("versions");
    versions.repositories = Selectors::of_repositories({{false, "released/**"}}).value();
    versions.versions = VersionRange::parse(">=1").value();
    EXPECT_FALSE(refusal_of_tag(std::vector{versions}, "p/dev/app", "main"));
    EXPECT_FALSE(refusal_of_tag(std::vector{versions}, "p/released/app", "v1.2.3"));
    EXPECT_TRUE(refusal_of_tag(std::vector{versions}, "p/released/app", "main")->ends_with("be semantic versions"));
    EXPECT_TRUE(refusal_of_tag(std::vector{versions}, "p/released/app", "0.9.0")->ends_with("versions >=1"));
    versions.disabled = true;
    EXPECT_FALSE(refusal_of_tag(std::vector{versions}, "p/released/app", "main"));
}

}  // namespace
}  // namespace entrepot
