#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

namespace entrepot::contract {

class TagRuleContract : public ArtifactContract {
protected:
    ImmutableRuleCatalog& rules() { return store().immutable_rules(); }
    TagHistoryCatalog& history() { return store().tag_history(); }
    std::int64_t project_id() { return run(store().projects().find(project("p")))->id; }

    ImmutableRule rule(std::string tags, std::string repositories = "**")
    {
        return {
            .project_id = project_id(),
            .repositories = Selectors::of_repositories({{false, std::move(repositories)}}).value(),
            .tags = Selectors::of_tags({{false, std::move(tags)}}).value(),
        };
    }
    std::int64_t add_rule(std::string tags, std::string repositories = "**")
    {
        const auto made = run(rules().create(rule(std::move(tags), std::move(repositories)), someone));
        EXPECT_TRUE(made) << made.error().message() << made.error().detail();
        return made.value_or(0);
    }
    // A push of another image each time.
    Result<> try_push(std::string_view name, const std::string& note, const std::vector<std::string>& tags)
    {
        const Image image{.blobs = {"c"}, .annotation = note};
        arrive(repository(name), "c");
        return run(store().manifests().commit(viewed(repository(name), image.bytes(), media::oci_manifest, tags)));
    }
    std::vector<std::string> states(std::string_view name, std::string_view of, Micros time = -1)
    {
        ListQuery query;
        query.limit = 100;
        const auto page = time < 0 ? run(history().of_tag(repository(name), tag(of), query))
                                   : run(history().at(repository(name), time, query));
        EXPECT_TRUE(page) << page.error().message() << page.error().detail();
        std::vector<std::string> texts;
        for (const auto& change : page.value_or(ListPage<TagChange>{}).items) {
            texts.push_back(
                (time < 0 ? change.how : change.tag) + " " +
                (change.previous.empty() ? "-" : note_of(change.previous)) + ">" +
                (change.digest.empty() ? "-" : note_of(change.digest))
            );
        }
        return texts;
    }
    // What the images of try_push() were told apart by.
    static std::string note_of(const std::string& digest)
    {
        for (char note = 'a'; note <= 'z'; ++note) {
            const Image image{.blobs = {"c"}, .annotation = std::string{note}};
            if (digest_of(image.bytes()).text() == digest) return std::string{note};
        }
        return "?";
    }
    static Digest digest_noted(std::string_view note)
    {
        return digest_of(Image{.blobs = {"c"}, .annotation = std::string{note}}.bytes());
    }
    Result<> push_at(Micros at, const std::string& note, std::string_view of, Via via = Via::push)
    {
        const Image image{.blobs = {"c"}, .annotation = note};
        arrive(repository("p/app"), "c");
        auto manifest = viewed(repository("p/app"), image.bytes(), media::oci_manifest, {std::string{of}});
        manifest.actor = {7, at, via};
        return run(store().manifests().commit(std::move(manifest)));
    }
};

using Texts = std::vector<std::string>;

TEST_P(TagRuleContract, an_immutable_tag_can_be_pushed_again_but_neither_moved_nor_deleted)
{
    const auto id = add_rule("v*");
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1", "latest"}));
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1"}));
    const auto refused = try_push("p/app", "b", {"v1"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::precondition_failed);
    EXPECT_EQ(
        refused.error().message(), "the tag p/app:v1 is immutable by rule " + std::to_string(id) + " of its project"
    );
    EXPECT_EQ((*run(store().manifests().load(app, reference("v1"))))->digest, digest_noted("a"));
    EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(app, Reference{digest_noted("b")})));
    EXPECT_FAILS(Errc::precondition_failed, run(store().manifests().remove(app, reference("v1"), someone)));
    EXPECT_FAILS(
        Errc::precondition_failed, run(store().manifests().remove(app, Reference{digest_noted("a")}, someone))
    );
    EXPECT_FAILS(Errc::precondition_failed, run(artifacts().remove(app, reference("latest"), someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(artifacts().remove_tag(app, reference("v1"), tag("v1"), someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(store().repositories().remove(app, someone)));
    EXPECT_SUCCEEDS(try_push("p/app", "b", {"latest"}));
    EXPECT_SUCCEEDS(run(artifacts().add_tag(app, Reference{digest_noted("b")}, tag("v2"), someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(artifacts().remove(app, reference("v2"), someone)));
    expect_exact();
}

TEST_P(TagRuleContract, a_rule_that_is_disabled_changed_or_removed_holds_nothing_any_more)
{
    auto changed = rule("**");
    changed.id = add_rule("**");
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1"}));
    EXPECT_FAILS(Errc::precondition_failed, try_push("p/app", "b", {"v1"}));
    changed.disabled = true;
    EXPECT_SUCCEEDS(run(rules().change(changed, someone)));
    EXPECT_SUCCEEDS(try_push("p/app", "b", {"v1"}));
    changed.disabled = false;
    changed.tags = Selectors::of_tags({{true, "v*"}}).value();
    EXPECT_SUCCEEDS(run(rules().change(changed, someone)));
    EXPECT_SUCCEEDS(try_push("p/app", "c", {"v1", "main"}));
    EXPECT_FAILS(Errc::precondition_failed, try_push("p/app", "d", {"main"}));
    expect_exact();
    EXPECT_SUCCEEDS(run(rules().remove(project_id(), changed.id)));
    EXPECT_FAILS(Errc::not_found, run(rules().remove(project_id(), changed.id)));
    EXPECT_FAILS(Errc::not_found, run(rules().change(changed, someone)));
    EXPECT_SUCCEEDS(try_push("p/app", "d", {"main"}));
    expect_exact();
}

TEST_P(TagRuleContract, rules_are_of_one_project_and_of_the_repositories_they_choose)
{
    ASSERT_TRUE(run(store().projects().create({.name = project("q")}, {1, 10})));
    add_rule("**", "team/*");
    for (const auto* name : {"p/app", "q/team/app"}) {
        EXPECT_SUCCEEDS(try_push(name, "a", {"v1"}));
        EXPECT_SUCCEEDS(try_push(name, "b", {"v1"}));
    }
    EXPECT_SUCCEEDS(try_push("p/team/app", "a", {"v1"}));
    EXPECT_FAILS(Errc::precondition_failed, try_push("p/team/app", "b", {"v1"}));
    EXPECT_EQ(run(rules().list(project_id(), {}))->items.at(0).repositories.text(), "matches team/*");
    EXPECT_EQ(run(rules().list(project_id() + 1, {}))->total, 0);
}

TEST_P(TagRuleContract, a_project_has_each_rule_once_and_fifteen_at_most)
{
    auto changed = rule("t0");
    changed.id = add_rule("other");
    for (int i = 0; i < 14; ++i) add_rule("t" + std::to_string(i));
    EXPECT_FAILS(Errc::bad_request, run(rules().create(rule("more"), someone)));
    EXPECT_FAILS(Errc::conflict, run(rules().change(changed, someone)));
    EXPECT_SUCCEEDS(run(rules().remove(project_id(), changed.id)));
    EXPECT_FAILS(Errc::conflict, run(rules().create(rule("t0"), someone)));
    auto nowhere = rule("t");
    nowhere.project_id = 12345;
    EXPECT_FAILS(Errc::not_found, run(rules().create(nowhere, someone)));
    expect_exact();
}

TEST_P(TagRuleContract, signatures_of_an_immutable_tag_can_come_and_change_and_go_with_nothing_else)
{
    add_rule("**");
    const auto image = push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto name = "sha256-" + std::string{image.hex()} + ".sig";
    EXPECT_SUCCEEDS(try_push("p/app", "s", {name}));
    EXPECT_SUCCEEDS(try_push("p/app", "t", {name}));
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "a/sig", .subject = image});
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference(name), someone)));
    expect_exact();
}

TEST_P(TagRuleContract, what_an_immutable_index_is_made_of_stays_too)
{
    add_rule("v*");
    const auto child = push_image("p/app", {.blobs = {"c"}});
    const auto inner = push_index("p/app", {child}, {"inner"});
    push_index("p/app", {inner}, {"v1"});
    const auto app = repository("p/app");
    EXPECT_FAILS(Errc::precondition_failed, run(store().manifests().remove(app, Reference{child}, someone)));
    EXPECT_FAILS(Errc::precondition_failed, run(store().manifests().remove(app, Reference{inner}, someone)));
    EXPECT_SUCCEEDS(run(store().manifests().remove(app, reference("inner"), someone)));
    expect_exact();
}

TEST_P(TagRuleContract, lists_say_which_tags_are_immutable_where_they_are_asked)
{
    add_rule("v*");
    push_image("p/app", {.blobs = {"c"}}, {"latest", "v1", "v2"});
    const auto count = [](const std::string& text, std::string_view word) {
        std::size_t found = 0;
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
        return found;
    };
    const auto plain = list("p/app").items.at(0).tags_json;
    EXPECT_EQ(count(plain, R"("immutable":false)"), 3U) << plain;
    const auto asked = list("p/app", {}, {.tags = true, .immutable = true}).items.at(0).tags_json;
    EXPECT_EQ(count(asked, R"("immutable":true)"), 2U) << asked;
    EXPECT_EQ(count(asked, R"("immutable":false)"), 1U) << asked;
    EXPECT_LT(asked.find("latest"), asked.find(R"("immutable":false)"));
    const auto tags = run(artifacts().tags(repository("p/app"), reference("latest"), {}));
    ASSERT_TRUE(tags);
    EXPECT_FALSE(tags->items.at(0).immutable);
    EXPECT_TRUE(tags->items.at(1).immutable);
}

// A push that is under way when the rule comes is before it or is refused.
TEST_P(TagRuleContract, no_push_slips_past_a_rule_that_was_acknowledged)
{
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1"}));
    arrive(repository("p/app"), "c");
    for (int round = 0; round < 20; ++round) {
        std::atomic<bool> ruled = false;
        std::atomic<int> late = 0;
        std::int64_t id = 0;
        Crowd crowd;
        crowd.add([&] {
            id = add_rule("v1");
            ruled = true;
        });
        for (const auto* note : {"b", "d"}) {
            crowd.add([&, note] {
                for (int i = 0; i < 5; ++i) {
                    const bool after = ruled;
                    const Image image{.blobs = {"c"}, .annotation = note + std::to_string(round) + std::to_string(i)};
                    const auto outcome = run(store().manifests().commit(
                        viewed(repository("p/app"), image.bytes(), media::oci_manifest, {"v1"})
                    ));
                    if (after && outcome) ++late;
                }
            });
        }
        crowd.join();
        ASSERT_EQ(late, 0);
        ASSERT_TRUE(run(rules().remove(project_id(), id)));
    }
    expect_exact();
}

TEST_P(TagRuleContract, every_change_of_a_tag_is_in_its_history_with_who_and_how)
{
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(push_at(10, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(15, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(20, "b", "v1"));
    EXPECT_SUCCEEDS(run(artifacts().remove_tag(app, reference("v1"), tag("v1"), {8, 30})));
    EXPECT_SUCCEEDS(run(artifacts().add_tag(app, Reference{digest_noted("a")}, tag("v1"), {8, 40})));
    EXPECT_SUCCEEDS(run(store().manifests().remove(app, reference("v1"), {8, 50, Via::client_delete})));
    EXPECT_EQ(states("p/app", "v1"), (Texts{"client-delete a>-", "api ->a", "api b>-", "push a>b", "push ->a"}));
    const auto page = run(history().of_tag(app, tag("v1"), {}));
    EXPECT_EQ(page->total, 5);
    EXPECT_EQ(page->items.at(0).user_id, 8);
    EXPECT_EQ(page->items.at(0).at, 50);
    EXPECT_FALSE(page->items.at(0).available);
    EXPECT_TRUE(page->items.at(3).available);
    EXPECT_EQ(states("p/app", "never"), Texts{});
    EXPECT_FAILS(Errc::name_unknown, run(history().of_tag(repository("p/none"), tag("v1"), {})));
    expect_exact();
}

TEST_P(TagRuleContract, tags_that_go_with_their_manifest_are_in_the_history_too)
{
    const auto app = repository("p/app");
    const auto image = push_image("p/app", {.blobs = {"c"}, .annotation = "a"}, {"one", "two"});
    EXPECT_SUCCEEDS(run(artifacts().remove(app, Reference{image}, {8, 3000})));
    for (const auto* name : {"one", "two"}) EXPECT_EQ(states("p/app", name), (Texts{"api a>-", "api ->a"}));
    EXPECT_EQ(states("p/app", "", 9'000'000), Texts{});
    expect_exact();
}

TEST_P(TagRuleContract, a_repository_is_seen_as_it_was)
{
    EXPECT_SUCCEEDS(push_at(10, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(20, "b", "v2"));
    EXPECT_SUCCEEDS(push_at(30, "c", "v1"));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference("v2"), {8, 40})));
    EXPECT_EQ(states("p/app", "", 9), Texts{});
    EXPECT_EQ(states("p/app", "", 10), Texts{"v1 ->a"});
    EXPECT_EQ(states("p/app", "", 29), (Texts{"v1 ->a", "v2 ->b"}));
    EXPECT_EQ(states("p/app", "", 30), (Texts{"v1 a>c", "v2 ->b"}));
    EXPECT_EQ(states("p/app", "", 40), Texts{"v1 a>c"});
}

TEST_P(TagRuleContract, a_tag_goes_back_to_what_it_was)
{
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(push_at(10, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(20, "b", "v1"));
    EXPECT_SUCCEEDS(push_at(25, "c", "other"));
    EXPECT_EQ(run(history().restore(app, tag("v1"), Micros{15}, {8, 30})).value(), digest_noted("a"));
    EXPECT_EQ((*run(store().manifests().load(app, reference("v1"))))->digest, digest_noted("a"));
    EXPECT_EQ(run(history().restore(app, tag("v1"), digest_noted("b"), {8, 40})).value(), digest_noted("b"));
    EXPECT_EQ(states("p/app", "v1"), (Texts{"restore a>b", "restore b>a", "push a>b", "push ->a"}));
    EXPECT_FAILS(Errc::not_found, run(history().restore(app, tag("v1"), digest_noted("c"), {8, 50})));
    EXPECT_FAILS(Errc::not_found, run(history().restore(app, tag("v1"), Micros{9}, {8, 50})));
    EXPECT_FAILS(Errc::name_unknown, run(history().restore(repository("p/none"), tag("v1"), Micros{9}, {8, 50})));
    EXPECT_SUCCEEDS(run(store().manifests().remove(app, Reference{digest_noted("a")}, {8, 60})));
    EXPECT_FAILS(Errc::manifest_unknown, run(history().restore(app, tag("v1"), digest_noted("a"), {8, 70})));
    add_rule("v1");
    EXPECT_SUCCEEDS(run(artifacts().add_tag(app, reference("other"), tag("free"), {8, 80})));
    EXPECT_SUCCEEDS(run(history().restore(app, tag("v1"), digest_noted("b"), {8, 90})));
    expect_exact();
}

TEST_P(TagRuleContract, old_states_are_forgotten_and_the_one_that_lasts_is_not)
{
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(push_at(10, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(20, "b", "v1"));
    EXPECT_SUCCEEDS(push_at(30, "c", "v1"));
    EXPECT_SUCCEEDS(push_at(31, "c", "gone"));
    EXPECT_SUCCEEDS(run(store().manifests().remove(app, reference("gone"), {8, 35})));
    EXPECT_EQ(run(history().forget_before(25, 100)).value(), 1);
    EXPECT_EQ(states("p/app", "v1"), (Texts{"push b>c", "push a>b"}));
    EXPECT_EQ(states("p/app", "", 25), Texts{"v1 a>b"});
    EXPECT_EQ(run(history().forget_before(1000, 1)).value(), 1);
    EXPECT_EQ(run(history().forget_before(1000, 100)).value(), 2);
    EXPECT_EQ(states("p/app", "v1"), Texts{"push b>c"});
    EXPECT_EQ(states("p/app", "gone"), Texts{});
    EXPECT_EQ(run(history().forget_before(1000, 100)).value(), 0);
    expect_exact();
}

TEST_P(TagRuleContract, a_repository_takes_its_history_along)
{
    EXPECT_SUCCEEDS(push_at(10, "a", "v1"));
    EXPECT_SUCCEEDS(push_at(20, "b", "v1"));
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/app"), someone)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM tag_history"), 0);
}

}  // namespace entrepot::contract
