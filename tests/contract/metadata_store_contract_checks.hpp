#pragma once

#include "tests/contract/metadata_store_contract_promotions.hpp"

namespace entrepot::contract {

class CheckContract : public PromotionContract {
protected:
    using State = ArtifactCheck::State;
    CheckCatalog& checks() { return store().checks(); }
    Result<ArtifactCheck> report(std::string_view reference_text, std::string name, State state, Micros at = 5)
    {
        return run(checks().report(
            repository("p/app"), reference(reference_text), {.name = std::move(name), .state = state}, {1, at}
        ));
    }
    ListPage<ArtifactCheck> listed(ListQuery query = {})
    {
        return run(checks().list(repository("p/app"), reference("v"), std::move(query)))
            .value_or(ListPage<ArtifactCheck>{});
    }
};

TEST_P(CheckContract, of_each_name_the_latest_result_is_kept)
{
    const auto digest = push_image("p/app", {.blobs = {"c"}}, {"v"});
    EXPECT_FAILS(Errc::manifest_unknown, report("w", "e2e", State::passed));
    EXPECT_FAILS(Errc::name_unknown, run(checks().list(repository("p/none"), reference("v"), {})));
    ASSERT_TRUE(report("v", "lint", State::passed));
    ASSERT_TRUE(report("v", "e2e", State::running, 6));
    const ArtifactCheck full{.name = "e2e", .state = State::failed, .url = "https://ci/1", .summary = "3 of 40"};
    const auto kept = run(checks().report(repository("p/app"), reference(digest.text()), full, {1, 7}));
    ASSERT_TRUE(kept) << kept.error().message();
    EXPECT_EQ(kept->at, 7);
    const auto page = listed();
    ASSERT_EQ(page.total, 2);
    EXPECT_EQ(page.items[0].name, "e2e");
    EXPECT_EQ(page.items[0].state, State::failed);
    EXPECT_EQ(page.items[0].url, "https://ci/1");
    EXPECT_EQ(page.items[0].summary, "3 of 40");
    EXPECT_EQ(page.items[1].name, "lint");
    ListQuery query;
    query.limit = 1;
    query.offset = 1;
    EXPECT_EQ(listed(query).items.at(0).name, "lint");
    query = {};
    query.conditions.push_back({"state", ListCondition::Kind::equal, {"failed"}});
    EXPECT_EQ(listed(query).total, 1);
    EXPECT_EQ(count("events WHERE type = 'artifact.checked' AND digest = '" + digest.text() + "'"), 3);

    EXPECT_SUCCEEDS(run(checks().remove(repository("p/app"), reference("v"), "e2e", {1, 8})));
    EXPECT_FAILS(Errc::not_found, run(checks().remove(repository("p/app"), reference("v"), "e2e", {1, 9})));
    EXPECT_EQ(listed().total, 1);
    EXPECT_EQ(count("events WHERE type = 'artifact.checked'"), 4);
}

TEST_P(CheckContract, they_are_bounded_and_go_with_the_artifact)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    for (std::size_t i = 0; i < ArtifactCheck::most; ++i)
        ASSERT_TRUE(report("v", "c" + std::to_string(i), State::passed));
    EXPECT_FAILS(Errc::precondition_failed, report("v", "more", State::passed));
    EXPECT_TRUE(report("v", "c7", State::failed)) << "one that is there may change";
    EXPECT_SUCCEEDS(run(store().artifacts().remove(repository("p/app"), reference("v"), someone)));
    EXPECT_EQ(count("artifact_checks"), 0);
}

TEST_P(CheckContract, a_gate_asks_for_one_that_has_passed)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    auto policy = step();
    policy.gates = {{PromotionGateKind::check, "e2e", 0}};
    policy.id = add(policy);
    EXPECT_EQ(run(promotions().policy(policy.project_id, policy.id))->gates, policy.gates);
    const auto refusals = [&] { return run(promotions().plan(order(policy.id), 1))->entries.at(0).refusals; };
    EXPECT_EQ(refusals(), std::vector<std::string>{"the check e2e has not been reported"});
    ASSERT_TRUE(report("v", "e2e", State::failed));
    EXPECT_EQ(refusals(), std::vector<std::string>{"the check e2e has failed"});
    EXPECT_FAILS(Errc::precondition_failed, run(promotions().request(order(policy.id), requester)));
    ASSERT_TRUE(report("v", "e2e", State::passed));
    EXPECT_EQ(refusals(), std::vector<std::string>{});
    EXPECT_EQ(run(promotions().execute(approved(policy.id), approver))->state, PromotionState::done);
}

}  // namespace entrepot::contract
