#pragma once

#include "tests/contract/metadata_store_contract_tag_rules.hpp"

namespace entrepot::contract {

class PushPolicyContract : public TagRuleContract {
protected:
    PushPolicyCatalog& policies() { return store().push_policies(); }
    PushPolicy no_latest()
    {
        return {
            .project_id = project_id(),
            .name = "no latest",
            .repositories = Selectors::of_repositories({{false, "**"}}).value(),
            .tags = Selectors::of_tags({{true, "latest"}}).value(),
        };
    }
};

TEST_P(PushPolicyContract, a_push_is_refused_in_the_words_of_the_policy)
{
    const auto app = repository("p/app");
    auto policy = no_latest();
    policy.id = run(policies().create(policy, someone)).value();
    const auto refused = try_push("p/app", "a", {"v1", "latest"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::denied);
    EXPECT_EQ(
        refused.error().message(),
        "the tag p/app:latest is refused by the push policy \"no latest\": tags must not match latest"
    );
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(app, reference("v1"))));
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1"}));
    EXPECT_FAILS(Errc::denied, run(artifacts().add_tag(app, reference("v1"), tag("latest"), someone)));
    ASSERT_TRUE(run(store().projects().create({.name = project("q")}, {1, 10})));
    EXPECT_SUCCEEDS(try_push("q/app", "z", {"latest"}));
    EXPECT_FAILS(Errc::denied, run(artifacts().copy(repository("q/app"), reference("latest"), app, someone)));
    policy.disabled = true;
    EXPECT_SUCCEEDS(run(policies().change(policy, someone)));
    EXPECT_SUCCEEDS(try_push("p/app", "b", {"latest"}));
    expect_exact();
}

TEST_P(PushPolicyContract, a_repository_is_asked_for_its_name_and_versions_for_their_range)
{
    auto policy = no_latest();
    policy.tags.reset();
    policy.names = Selectors::of_repositories({{false, "team-*/**"}}).value();
    policy.versions = VersionRange::parse(">=1").value();
    const auto id = run(policies().create(policy, someone)).value();
    EXPECT_FAILS(Errc::denied, try_push("p/app", "a", {"1.0.0"}));
    EXPECT_FAILS(Errc::denied, try_push("p/team-a/app", "a", {"main"}));
    EXPECT_SUCCEEDS(try_push("p/team-a/app", "a", {"1.0.0"}));
    EXPECT_SUCCEEDS(try_push("p/team-a/app", "b", {}));
    const auto found = run(policies().find(project_id(), id)).value();
    EXPECT_FALSE(found.tags);
    EXPECT_EQ(found.names->text(), "matches team-*/**");
    EXPECT_EQ(found.versions->text(), ">=1");
    EXPECT_SUCCEEDS(run(policies().remove(project_id(), id)));
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"main"}));
    expect_exact();
}

TEST_P(PushPolicyContract, a_project_has_few_policies_each_of_a_name_of_its_own)
{
    auto policy = no_latest();
    policy.id = run(policies().create(policy, someone)).value();
    EXPECT_FAILS(Errc::conflict, run(policies().create(policy, someone)));
    for (int i = 1; i < 15; ++i) {
        auto other = policy;
        other.name = "p" + std::to_string(i);
        EXPECT_SUCCEEDS(run(policies().create(other, someone)));
    }
    auto more = policy;
    more.name = "more";
    EXPECT_FAILS(Errc::bad_request, run(policies().create(more, someone)));
    policy.name = "p1";
    EXPECT_FAILS(Errc::conflict, run(policies().change(policy, someone)));
    EXPECT_EQ(run(policies().list(project_id(), {}))->total, 15);
    EXPECT_FAILS(Errc::not_found, run(policies().find(project_id() + 1, policy.id)));
    EXPECT_FAILS(Errc::not_found, run(policies().remove(project_id() + 1, policy.id)));
    policy.project_id = 12345;
    EXPECT_FAILS(Errc::not_found, run(policies().create(policy, someone)));
    expect_exact();
}

}  // namespace entrepot::contract
