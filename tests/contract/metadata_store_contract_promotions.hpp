#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

namespace entrepot::contract {

class PromotionContract : public ArtifactContract {
protected:
    static constexpr Actor requester{7, 2'000'000};
    static constexpr Actor approver{8, 3'000'000};
    static constexpr Micros lifetime = 120'000'000;

    PromotionCatalog& promotions() { return store().promotions(); }
    void SetUp() override
    {
        ArtifactContract::SetUp();
        add_project("q");
    }
    void add_project(std::string_view name)
    {
        EXPECT_SUCCEEDS(run(store().projects().create({.name = project(name)}, someone)));
    }
    std::int64_t id_of(std::string_view name) { return run(store().projects().find(project(name)))->id; }
    PromotionPolicy step(std::string name = "release", std::string_view from = "p", std::string_view into = "q")
    {
        return {
            .project_id = id_of(from),
            .target_project_id = id_of(into),
            .name = std::move(name),
            .repositories = Selectors::of_repositories({{false, "**"}}).value(),
            .tags = Selectors::of_tags({{false, "v*"}}).value(),
            .lifetime = lifetime,
        };
    }
    std::int64_t add(const PromotionPolicy& policy)
    {
        const auto made = run(promotions().create_policy(policy, someone));
        EXPECT_TRUE(made) << made.error().message() << made.error().detail();
        return made.value_or(0);
    }
    PromotionOrder order(std::int64_t policy, const std::vector<std::string>& names = {})
    {
        PromotionOrder order{.project_id = id_of("p"), .policy_id = policy};
        for (const auto& name : names) {
            const auto colon = name.find(':');
            order.wishes.push_back({repository(name.substr(0, colon)), reference(name.substr(colon + 1))});
        }
        return order;
    }
    std::int64_t request(std::int64_t policy, const std::vector<std::string>& names = {})
    {
        const auto made = run(promotions().request(order(policy, names), requester));
        EXPECT_TRUE(made) << made.error().message() << made.error().detail();
        return made ? made->id : 0;
    }
    std::int64_t approved(std::int64_t policy, const std::vector<std::string>& names = {})
    {
        const auto id = request(policy, names);
        const auto voted = run(promotions().vote(id, true, "", approver));
        EXPECT_TRUE(voted) << voted.error().message() << voted.error().detail();
        return id;
    }
    PromotionState state_of(std::int64_t id, Micros now = 4'000'000)
    {
        const auto found = run(promotions().find(id_of("p"), id, now));
        EXPECT_TRUE(found) << found.error().message();
        return found ? found->state : PromotionState::failed;
    }
    std::string digest_at(std::string_view name, std::string_view text)
    {
        const auto found = run(store().manifests().load(repository(name), reference(text)));
        return found ? (*found)->digest.text() : std::string{};
    }
    std::int64_t count(const std::string& rest) { return host().number("SELECT COUNT(*) FROM " + rest); }

    // An index of two images, signed, with an SBOM that is signed as well, and a chart.
    void push_release()
    {
        const auto one = push_image("p/app", {.blobs = {"c", "one"}});
        const auto two = push_image("p/app", {.blobs = {"c", "two"}});
        const auto index = push_index("p/app", {one, two}, {"v1", "latest"});
        push_image("p/app", {.blobs = {"s"}, .artifact_type = "application/x-sig", .subject = index});
        const auto sbom =
            push_image("p/app", {.blobs = {"sbom"}, .artifact_type = "application/spdx+json", .subject = index});
        push_image("p/app", {.blobs = {"s"}, .artifact_type = "application/x-sig", .subject = sbom});
        push_image("p/charts/app", {.blobs = {"chart"}}, {"v1"});
        push_image("p/other", {.blobs = {"c"}}, {"untagged-for-it"});
    }
};

TEST_P(PromotionContract, a_set_comes_with_all_that_belongs_to_it)
{
    push_release();
    auto policy = step();
    policy.target_repository = "released/{repository}";
    policy.target_tag = "{tag}-prod";
    const auto id = approved(add(policy));
    const auto plan = run(promotions().plan(order(run(promotions().find(id_of("p"), id, 1))->policy_id), 1));
    ASSERT_TRUE(plan) << plan.error().message() << plan.error().detail();
    EXPECT_EQ(plan->manifests, 7);
    EXPECT_TRUE(plan->open());
    const auto done = run(promotions().execute(id, approver));
    ASSERT_TRUE(done) << done.error().message() << done.error().detail();
    EXPECT_EQ(done->state, PromotionState::done) << done->error;
    EXPECT_EQ(done->items.size(), 2U);
    const auto index = digest_at("p/app", "v1");
    EXPECT_EQ(digest_at("q/released/app", "v1-prod"), index);
    EXPECT_EQ(digest_at("q/released/app", "v1"), "");
    EXPECT_EQ(digest_at("q/released/charts/app", "v1-prod"), digest_at("p/charts/app", "v1"));
    EXPECT_EQ(list("q/released/app").total, 1);
    const auto subject = Digest::parse(index).value();
    const auto found = run(store().manifests().referrers(repository("q/released/app"), subject, "", {9, ""}));
    EXPECT_EQ(found->referrers.size(), 2U);
    EXPECT_EQ(count("repositories WHERE project_id = " + std::to_string(id_of("q"))), 2);
    EXPECT_EQ(
        count(
            "manifests m JOIN repositories r ON r.id = m.repository_id WHERE r.project_id = " +
            std::to_string(id_of("q"))
        ),
        7
    );
    EXPECT_SUCCEEDS(run(store().quotas().settle(1)));
    EXPECT_EQ(bytes_of("q"), plan->bytes);
    EXPECT_EQ(count("tag_history WHERE how = 'promotion'"), 2);
    EXPECT_EQ(count("events WHERE type = 'promotion.done'"), 2);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();

    const auto events = count("events");
    EXPECT_EQ(run(promotions().execute(id, approver))->state, PromotionState::done);
    EXPECT_EQ(count("events"), events) << "once more has no second effect";
    EXPECT_FAILS(
        Errc::unprocessable,
        run(promotions().request(order(run(promotions().find(id_of("p"), id, 1))->policy_id), requester))
    );
}

TEST_P(PromotionContract, what_was_approved_is_what_is_promoted)
{
    const auto first = push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v"});
    const auto id = approved(add(step()), {"p/app:v"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "2"}, {"v"});
    EXPECT_EQ(run(promotions().execute(id, approver))->state, PromotionState::done);
    EXPECT_EQ(digest_at("q/app", "v"), first.text());
    const auto again = approved(add(step("again")), {"p/app:" + digest_at("p/app", "v")});
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference("v"), someone)));
    EXPECT_SUCCEEDS(run(artifacts().remove(
        repository("p/app"), Reference{digest_of(Image{.blobs = {"c"}, .annotation = "2"}.bytes())}, someone
    )));
    const auto failed = run(promotions().execute(again, approver));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->state, PromotionState::failed);
    EXPECT_NE(failed->error.find("no longer in p/app"), std::string::npos) << failed->error;
    EXPECT_EQ(digest_at("q/app", "v"), first.text());
}

TEST_P(PromotionContract, steps_go_in_no_circle)
{
    add_project("r");
    add(step("1", "p", "q"));
    const auto second = add(step("2", "q", "r"));
    const auto back = run(promotions().create_policy(step("3", "r", "p"), someone));
    EXPECT_FAILS(Errc::bad_request, back);
    EXPECT_NE(back.error().message().find("r > p > q > r"), std::string::npos) << back.error().message();
    EXPECT_FAILS(Errc::bad_request, run(promotions().create_policy(step("4", "p", "p"), someone)));
    auto changed = step("2", "q", "p");
    changed.id = second;
    EXPECT_FAILS(Errc::bad_request, run(promotions().change_policy(changed, someone)));
    add(step("5", "p", "r"));
    EXPECT_FAILS(Errc::conflict, run(promotions().create_policy(step("5", "p", "r"), someone)));
    auto nowhere = step("6");
    nowhere.target_project_id = 987654;
    EXPECT_FAILS(Errc::not_found, run(promotions().create_policy(nowhere, someone)));
    EXPECT_SUCCEEDS(run(promotions().remove_policy(id_of("q"), second)));
    EXPECT_FAILS(Errc::not_found, run(promotions().remove_policy(id_of("q"), second)));
    add(step("3", "r", "q"));
    ListQuery query;
    EXPECT_EQ(run(promotions().policies(id_of("p"), query))->total, 2);
}

TEST_P(PromotionContract, a_policy_is_read_as_it_was_written)
{
    auto policy = step();
    policy.description = "what it is for";
    policy.target_repository = "x/{repository}";
    policy.target_tag = "{tag}-y";
    policy.gates = {
        {PromotionGateKind::accessory, "application/x sig", 0},
        {PromotionGateKind::label, "qa passed", 0},
        {PromotionGateKind::minimum_age, "", 90},
        {PromotionGateKind::maximum_size, "", 1 << 20},
        {PromotionGateKind::immutable_tag, "", 0},
    };
    policy.approvals = 3;
    policy.self_approval = true;
    policy.id = add(policy);
    auto read = run(promotions().policy(id_of("p"), policy.id)).value();
    EXPECT_EQ(read.gates, policy.gates);
    EXPECT_EQ(read.target_project, "q");
    EXPECT_EQ(read.target_repository + read.target_tag + read.description, "x/{repository}{tag}-ywhat it is for");
    EXPECT_EQ(read.approvals, 3);
    EXPECT_TRUE(read.self_approval);
    EXPECT_EQ(read.lifetime, lifetime);
    EXPECT_EQ(read.tags, policy.tags);
    read.disabled = true;
    read.gates.clear();
    EXPECT_SUCCEEDS(run(promotions().change_policy(read, someone)));
    EXPECT_TRUE(run(promotions().policy(id_of("p"), policy.id))->disabled);
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    EXPECT_FAILS(Errc::precondition_failed, run(promotions().request(order(policy.id), requester)));
}

TEST_P(PromotionContract, shut_gates_are_told_and_nothing_is_requested)
{
    const auto digest = push_image("p/app", {.blobs = {"c"}}, {"v"});
    auto policy = step();
    policy.gates = {
        {PromotionGateKind::accessory, "application/x-sig", 0},
        {PromotionGateKind::label, "ready", 0},
        {PromotionGateKind::minimum_age, "", 3600},
        {PromotionGateKind::maximum_size, "", 1},
        {PromotionGateKind::immutable_tag, "", 0},
    };
    const auto id = add(policy);
    EXPECT_EQ(run(promotions().plan(order(id), 1000))->entries.at(0).refusals.size(), 5U);
    EXPECT_FAILS(Errc::precondition_failed, run(promotions().request(order(id), requester)));
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "application/x-sig", .subject = digest});
    const auto label = add_label("ready", "p", id_of("p"));
    EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/app"), reference("v"), label, someone)));
    const ImmutableRule rule{
        .project_id = id_of("p"),
        .repositories = Selectors::of_repositories({{false, "**"}}).value(),
        .tags = Selectors::of_tags({{false, "v*"}}).value(),
    };
    ASSERT_TRUE(run(store().immutable_rules().create(rule, someone)));
    const auto later = run(promotions().plan(order(id), Micros{4000} * 1'000'000));
    ASSERT_EQ(later->entries.at(0).refusals.size(), 1U);
    EXPECT_NE(later->entries[0].refusals[0].find("more than 1"), std::string::npos);
}

TEST_P(PromotionContract, a_gate_that_was_shut_since_is_shut)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    auto policy = step();
    policy.id = add(policy);
    const auto id = approved(policy.id);
    policy.gates = {{PromotionGateKind::label, "ready", 0}};
    EXPECT_SUCCEEDS(run(promotions().change_policy(policy, someone)));
    EXPECT_EQ(run(promotions().execute(id, approver))->state, PromotionState::failed);
    EXPECT_EQ(digest_at("q/app", "v"), "");
    EXPECT_EQ(count("events WHERE type = 'promotion.failed'"), 2);
}

TEST_P(PromotionContract, others_have_to_agree)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    auto policy = step();
    policy.approvals = 2;
    policy.id = add(policy);
    const auto id = request(policy.id);
    EXPECT_FAILS(Errc::conflict, run(promotions().execute(id, approver)));
    EXPECT_FAILS(Errc::denied, run(promotions().vote(id, true, "", requester)));
    EXPECT_SUCCEEDS(run(promotions().vote(id, true, "fine", approver)));
    EXPECT_FAILS(Errc::conflict, run(promotions().vote(id, true, "", approver)));
    EXPECT_EQ(state_of(id), PromotionState::pending);
    EXPECT_EQ(run(promotions().vote(id, true, "", {9, 3'000'001}))->state, PromotionState::approved);
    EXPECT_FAILS(Errc::conflict, run(promotions().vote(id, false, "", {10, 3'000'002})));
    const auto found = run(promotions().find(id_of("q"), id, 4'000'000));
    ASSERT_EQ(found->votes.size(), 2U);
    EXPECT_EQ(found->votes[0].comment, "fine");

    const auto rejected = request(policy.id);
    EXPECT_EQ(run(promotions().vote(rejected, false, "no", requester))->state, PromotionState::rejected);
    EXPECT_FAILS(Errc::conflict, run(promotions().vote(rejected, true, "", approver)));
    EXPECT_FAILS(Errc::conflict, run(promotions().execute(rejected, approver)));
    const auto cancelled = request(policy.id);
    EXPECT_EQ(run(promotions().cancel(cancelled, requester))->state, PromotionState::cancelled);
    EXPECT_FAILS(Errc::conflict, run(promotions().cancel(cancelled, requester)));
    EXPECT_FAILS(Errc::not_found, run(promotions().find(987654, id, 1)));
    ListQuery query;
    query.conditions.push_back({"state", ListCondition::Kind::equal, {"rejected"}});
    EXPECT_EQ(run(promotions().list(id_of("q"), query, 4'000'000))->total, 1);
    EXPECT_EQ(run(promotions().list(id_of("p"), {}, 4'000'000))->total, 3);
}

TEST_P(PromotionContract, a_request_expires)
{
    push_image("p/app", {.blobs = {"c"}}, {"v"});
    const auto id = request(add(step()));
    const auto late = requester.at + lifetime;
    EXPECT_EQ(state_of(id, late - 1), PromotionState::pending);
    EXPECT_EQ(state_of(id, late), PromotionState::expired);
    EXPECT_FAILS(Errc::conflict, run(promotions().vote(id, true, "", {8, late})));
    EXPECT_EQ(run(promotions().expire(late - 1)).value(), 0);
    EXPECT_EQ(run(promotions().expire(late)).value(), 1);
    EXPECT_EQ(run(promotions().expire(late)).value(), 0);
    EXPECT_EQ(state_of(id, 1), PromotionState::expired);
}

TEST_P(PromotionContract, what_the_target_refuses_leaves_nothing)
{
    push_release();
    auto policy = step();
    policy.id = add(policy);
    const auto plan = run(promotions().plan(order(policy.id), 1));
    const auto over_quota = approved(policy.id);
    EXPECT_SUCCEEDS(run(store().projects().set_quota(id_of("q"), {.bytes = plan->bytes - 1}, someone)));
    const auto refused = run(promotions().execute(over_quota, approver));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->state, PromotionState::failed);
    EXPECT_NE(refused->error.find("project q may use"), std::string::npos) << refused->error;
    EXPECT_EQ(count("repositories WHERE project_id = " + std::to_string(id_of("q"))), 0);
    EXPECT_EQ(count("events WHERE type = 'artifact.copied'"), 0);
    EXPECT_EQ(bytes_of("q"), 0);
    expect_exact();
    EXPECT_SUCCEEDS(run(store().projects().set_quota(id_of("q"), {.bytes = plan->bytes}, someone)));
    EXPECT_EQ(run(promotions().execute(approved(policy.id), approver))->state, PromotionState::done);
    EXPECT_SUCCEEDS(run(store().projects().set_quota(id_of("q"), {.bytes = -1}, someone)));

    const ImmutableRule rule{
        .project_id = id_of("q"),
        .repositories = Selectors::of_repositories({{false, "**"}}).value(),
        .tags = Selectors::of_tags({{false, "v*"}}).value(),
    };
    ASSERT_TRUE(run(store().immutable_rules().create(rule, someone)));
    const auto before = digest_at("q/app", "v1");
    push_image("p/app", {.blobs = {"c"}, .annotation = "new"}, {"v1"});
    push_image("p/new", {.blobs = {"c"}}, {"v1"});
    EXPECT_EQ(run(promotions().execute(approved(policy.id), approver))->state, PromotionState::failed);
    EXPECT_EQ(digest_at("q/app", "v1"), before);
    EXPECT_EQ(digest_at("q/new", "v1"), "");
    expect_exact();
}

TEST_P(PromotionContract, wishes_outside_the_policy_are_refused)
{
    push_release();
    auto policy = step();
    policy.repositories = Selectors::of_repositories({{false, "app"}}).value();
    policy.id = add(policy);
    const auto plan = [&](const std::string& wish) { return run(promotions().plan(order(policy.id, {wish}), 1)); };
    EXPECT_FAILS(Errc::bad_request, plan("p/charts/app:v1"));
    EXPECT_FAILS(Errc::bad_request, plan("q/app:v1"));
    EXPECT_FAILS(Errc::bad_request, plan("p/app:latest"));
    EXPECT_FAILS(Errc::manifest_unknown, plan("p/app:v2"));
    EXPECT_FAILS(Errc::not_found, run(promotions().plan(order(987654), 1)));
    const auto found = plan("p/app:" + digest_at("p/app", "v1"));
    ASSERT_TRUE(found);
    ASSERT_EQ(found->entries.size(), 1U);
    EXPECT_EQ(found->entries[0].item.tag, "v1") << "of its tags those that the policy is about";
    policy.target_tag = "stable";
    policy.tags = Selectors::of_tags({{false, "**"}}).value();
    EXPECT_SUCCEEDS(run(promotions().change_policy(policy, someone)));
    EXPECT_TRUE(run(promotions().plan(order(policy.id), 1))) << "two tags of one artifact become one";
    push_image("p/app", {.blobs = {"c"}, .annotation = "other"}, {"v2"});
    EXPECT_FAILS(Errc::unprocessable, run(promotions().plan(order(policy.id), 1)));
}

TEST_P(PromotionContract, executions_at_once_have_one_effect)
{
    push_release();
    const auto id = approved(add(step()));
    {
        Crowd crowd;
        for (int i = 0; i < 4; ++i) {
            crowd.add([&] {
                const auto done = run(promotions().execute(id, approver));
                EXPECT_TRUE(done && done->state == PromotionState::done);
            });
        }
    }
    EXPECT_EQ(count("events WHERE type = 'promotion.done'"), 2);
    EXPECT_EQ(count("events WHERE type = 'artifact.copied'"), 7);
    EXPECT_EQ(count("tag_history WHERE how = 'promotion'"), 2);
    EXPECT_SUCCEEDS(run(store().quotas().settle(1)));
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
}

}  // namespace entrepot::contract
