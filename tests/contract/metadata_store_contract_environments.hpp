#pragma once

#include "tests/contract/metadata_store_contract_checks.hpp"

namespace entrepot::contract {

class EnvironmentContract : public CheckContract {
protected:
    static constexpr const char* consumer = "promotion";
    static constexpr Micros again = 1'000'000;
    static constexpr Micros one_minute = 60'000'000;

    // A policy that acts by itself, behind the check e2e.
    PromotionPolicy automatic(std::int64_t approvals = 0, std::string name = "auto")
    {
        auto policy = step(std::move(name));
        policy.trigger = PromotionPolicy::Trigger::event_based;
        policy.gates = {{PromotionGateKind::check, "e2e", 0}};
        policy.approvals = approvals;
        policy.id = add(policy);
        return policy;
    }
    PromotionStart start_of(const PromotionPolicy& policy, const Digest& digest, Micros at = 10)
    {
        return {
            .project_id = policy.project_id,
            .policy_id = policy.id,
            .repository = "app",
            .digest = digest.text(),
            .tag = "v",
            .caused_by = 7,
            .at = at,
        };
    }
    Result<std::int64_t> advance(std::vector<PromotionStart> starts, std::vector<PromotionTouch> touched = {})
    {
        const auto from = run(store().events().cursor(consumer));
        EXPECT_TRUE(from);
        return run(promotions().advance(
            consumer, from.value_or(0), from.value_or(0) + 1, std::move(starts), std::move(touched)
        ));
    }
    std::vector<std::int64_t> due(Micros now)
    {
        return run(promotions().due(now, 10)).value_or(std::vector<std::int64_t>{});
    }
    Promotion look(std::int64_t id, Micros now)
    {
        auto seen = run(promotions().look(id, now, now + again));
        EXPECT_TRUE(seen) << seen.error().message() << seen.error().detail();
        return seen.value_or(Promotion{});
    }
    Digest push(const std::string& annotation)
    {
        return push_image("p/app", {.blobs = {"c"}, .annotation = annotation}, {"v"});
    }
};

TEST_P(EnvironmentContract, a_promotion_waits_until_its_gates_are_open)
{
    const auto policy = automatic();
    const auto kept = run(promotions().event_based());
    ASSERT_TRUE(kept && kept->size() == 1);
    EXPECT_EQ(kept->at(0).trigger, PromotionPolicy::Trigger::event_based);
    EXPECT_EQ(kept->at(0).project, "p");
    const auto digest = push("1");
    EXPECT_EQ(advance({start_of(policy, digest)}).value_or(-1), 1);
    EXPECT_EQ(advance({start_of(policy, digest)}).value_or(-1), 0) << "it is on its way";
    EXPECT_EQ(due(9), std::vector<std::int64_t>{});
    const auto ids = due(10);
    ASSERT_EQ(ids.size(), 1U);
    auto seen = look(ids[0], 10);
    EXPECT_EQ(seen.state, PromotionState::waiting);
    EXPECT_TRUE(seen.automatic);
    EXPECT_EQ(seen.requester_id, 0) << "who made the policy has no account";
    EXPECT_EQ(seen.waiting_for, std::vector<std::string>{"the check e2e has not been reported"});
    EXPECT_EQ(due(10 + again - 1), std::vector<std::int64_t>{});
    EXPECT_EQ(look(ids[0], 11).waiting_for, seen.waiting_for) << "it is not due";
    EXPECT_FAILS(Errc::conflict, run(promotions().vote(ids[0], true, "", approver)));
    EXPECT_FAILS(Errc::conflict, run(promotions().execute(ids[0], approver)));
    EXPECT_EQ(count("events WHERE type = 'promotion.waiting'"), 2);

    ASSERT_TRUE(report("v", "e2e", State::failed));
    EXPECT_EQ(advance({}, {{policy.project_id, digest.text(), 12}}).value_or(-1), 0);
    EXPECT_EQ(due(12), ids);
    EXPECT_EQ(look(ids[0], 12).waiting_for, std::vector<std::string>{"the check e2e has failed"});
    EXPECT_EQ(count("events WHERE type = 'promotion.waiting'"), 2) << "said once";
    ASSERT_TRUE(report("v", "e2e", State::passed));
    EXPECT_EQ(due(12 + again), ids) << "in any case after a while";
    seen = look(ids[0], 12 + again);
    EXPECT_EQ(seen.state, PromotionState::approved);
    EXPECT_EQ(seen.waiting_for, std::vector<std::string>{});
    EXPECT_EQ(due(12 + 2 * again), ids) << "until it is carried out";
    EXPECT_EQ(run(promotions().execute(ids[0], approver))->state, PromotionState::done);
    EXPECT_EQ(digest_at("q/app", "v"), digest.text());
    EXPECT_EQ(due(1'000 * again), std::vector<std::int64_t>{});
    EXPECT_EQ(advance({start_of(policy, digest)}).value_or(-1), 0) << "the target shows it";
    EXPECT_EQ(count("events WHERE type = 'promotion.requested'"), 2);
}

TEST_P(EnvironmentContract, who_pushed_can_t_approve_it_alone)
{
    const auto policy = automatic(1);
    const auto digest = push("1");
    ASSERT_TRUE(report("v", "e2e", State::passed));
    ASSERT_TRUE(advance({start_of(policy, digest)}));
    const auto id = due(10).at(0);
    EXPECT_EQ(look(id, 10).state, PromotionState::pending);
    EXPECT_EQ(due(10 + again), std::vector<std::int64_t>{}) << "people have the word";
    EXPECT_FAILS(Errc::denied, run(promotions().vote(id, true, "", {7, 11})));
    EXPECT_EQ(run(promotions().vote(id, true, "", {8, 12}))->state, PromotionState::approved);
    EXPECT_EQ(due(12), std::vector<std::int64_t>{}) << "who approves carries it out";
    EXPECT_EQ(due(12 + one_minute), std::vector<std::int64_t>{id}) << "unless they could not";
    EXPECT_EQ(look(id, 13).state, PromotionState::approved);
}

TEST_P(EnvironmentContract, a_newer_digest_supersedes_what_waits)
{
    const auto policy = automatic(1);
    const auto first = push("1");
    ASSERT_TRUE(advance({start_of(policy, first)}));
    const auto id = due(10).at(0);
    const auto second = push("2");
    EXPECT_EQ(advance({start_of(policy, second, 11)}).value_or(-1), 1);
    EXPECT_EQ(state_of(id), PromotionState::superseded);
    EXPECT_NE(run(promotions().find(policy.project_id, id, 12))->error.find(second.text()), std::string::npos);
    EXPECT_EQ(count("events WHERE type = 'promotion.superseded'"), 2);
    EXPECT_FAILS(Errc::conflict, run(promotions().cancel(id, approver)));
    // One that somebody asked for is their word and stays.
    ASSERT_TRUE(report("v", "e2e", State::passed));
    const auto by_hand = request(policy.id);
    const auto third = push("3");
    EXPECT_EQ(advance({start_of(policy, second, 12), start_of(policy, third, 13)}).value_or(-1), 1);
    EXPECT_EQ(state_of(by_hand), PromotionState::pending);
    EXPECT_EQ(count("promotions WHERE automatic = 1 AND state = 'superseded'"), 2);
    EXPECT_EQ(count("promotions WHERE automatic = 1 AND state = 'waiting'"), 1);
}

TEST_P(EnvironmentContract, what_has_no_future_ends)
{
    auto policy = automatic();
    const auto other = automatic(0, "other");
    const auto digest = push("1");
    ASSERT_TRUE(advance({start_of(policy, digest), start_of(other, digest)}));
    const auto ids = due(10);
    ASSERT_EQ(ids.size(), 2U);
    policy.disabled = true;
    EXPECT_SUCCEEDS(run(promotions().change_policy(policy, someone)));
    EXPECT_EQ(run(promotions().event_based())->size(), 1U);
    EXPECT_EQ(look(ids[0], 10).waiting_for, std::vector<std::string>{"its policy is disabled"});
    EXPECT_SUCCEEDS(run(promotions().remove_policy(policy.project_id, policy.id)));
    EXPECT_EQ(look(ids[0], 10 + again).state, PromotionState::cancelled);
    EXPECT_EQ(advance({start_of(policy, push("2"))}).value_or(-1), 0) << "a policy that has gone asks for nothing";
    EXPECT_SUCCEEDS(run(store().artifacts().remove(repository("p/app"), Reference{digest}, someone)));
    const auto gone = look(ids[1], 11);
    EXPECT_EQ(gone.state, PromotionState::superseded);
    EXPECT_NE(gone.error.find("does not lead to it any more"), std::string::npos) << gone.error;

    ASSERT_TRUE(advance({start_of(other, Digest::parse(digest_at("p/app", "v")).value(), 20)}));
    const auto late = due(20).at(0);
    EXPECT_EQ(run(promotions().expire(20 + lifetime)).value_or(0), 1);
    EXPECT_EQ(look(late, 20 + lifetime).state, PromotionState::expired);
}

TEST_P(EnvironmentContract, of_several_instances_one_reads_an_event)
{
    const auto policy = automatic();
    const auto digest = push("1");
    const auto from = run(store().events().cursor(consumer)).value_or(0);
    std::atomic<int> conflicts = 0;
    {
        Crowd crowd;
        for (int i = 0; i < 4; ++i) {
            crowd.add([&] {
                const auto done = run(promotions().advance(consumer, from, from + 5, {start_of(policy, digest)}, {}));
                if (!done && done.error().code() == Errc::conflict) ++conflicts;
            });
        }
    }
    EXPECT_EQ(conflicts, 3);
    EXPECT_EQ(count("promotions"), 1);
    EXPECT_EQ(run(store().events().cursor(consumer)).value_or(0), from + 5);
}

TEST_P(EnvironmentContract, a_chain_is_what_policies_lead_through)
{
    add_project("r");
    add_project("elsewhere");
    ProjectChange change;
    change.metadata["environment"] = "production";
    ASSERT_TRUE(run(store().projects().change(id_of("r"), change, someone)));
    const auto first = automatic();
    const auto last = add(step("last", "q", "r"));
    for (const auto* name : {"p", "q", "r"}) {
        const auto chain = run(promotions().pipeline(id_of(name)));
        ASSERT_TRUE(chain) << chain.error().message() << chain.error().detail();
        ASSERT_EQ(chain->stages.size(), 3U);
        EXPECT_EQ(chain->stages[0].project, "p");
        EXPECT_EQ(chain->stages[1].project, "q");
        EXPECT_EQ(chain->stages[2].project, "r");
        EXPECT_EQ(chain->stages[1].environment, "");
        EXPECT_EQ(chain->stages[2].environment, "production");
        ASSERT_EQ(chain->steps.size(), 2U);
        EXPECT_EQ(chain->steps[0].id, first.id);
        EXPECT_EQ(chain->steps[1].id, last);
    }
    EXPECT_EQ(run(promotions().pipeline(id_of("elsewhere")))->stages.size(), 1U);
    EXPECT_FAILS(Errc::not_found, run(promotions().pipeline(987654)));
}

TEST_P(EnvironmentContract, a_journey_says_where_an_artifact_is_and_what_brings_it_on)
{
    const auto policy = automatic(1);
    const auto digest = push("1");
    const std::vector<std::int64_t> projects{id_of("p"), id_of("q")};
    ASSERT_TRUE(advance({start_of(policy, digest)}));
    const auto id = due(10).at(0);
    look(id, 10);
    auto journey = run(promotions().journey(digest.text(), projects, 11));
    ASSERT_TRUE(journey && journey->size() == 2) << journey.error().detail();
    ASSERT_EQ(journey->at(0).places.size(), 1U);
    EXPECT_EQ(journey->at(0).places[0].repository, "app");
    ASSERT_EQ(journey->at(0).places[0].tags.size(), 1U);
    EXPECT_EQ(journey->at(0).places[0].tags[0].name, "v");
    EXPECT_FALSE(journey->at(0).promotion);
    EXPECT_EQ(journey->at(1).places.size(), 0U);
    ASSERT_TRUE(journey->at(1).promotion);
    EXPECT_EQ(journey->at(1).promotion->waiting_for.size(), 1U);
    ASSERT_TRUE(report("v", "e2e", State::passed));
    EXPECT_EQ(look(id, 10 + again).state, PromotionState::pending);
    ASSERT_TRUE(run(promotions().vote(id, true, "", {8, 11 + again})));
    EXPECT_EQ(run(promotions().execute(id, {8, 12 + again}))->state, PromotionState::done);
    journey = run(promotions().journey(digest.text(), projects, 13 + again));
    ASSERT_TRUE(journey);
    EXPECT_EQ(journey->at(1).places.size(), 1U);
    EXPECT_EQ(journey->at(1).promotion->state, PromotionState::done);
    EXPECT_EQ(journey->at(1).promotion->votes.size(), 1U);
}

}  // namespace entrepot::contract
