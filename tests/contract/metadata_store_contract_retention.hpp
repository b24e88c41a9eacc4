#pragma once

#include "tests/contract/metadata_store_contract_tag_rules.hpp"

namespace entrepot::contract {

class RetentionContract : public TagRuleContract {
protected:
    RetentionCatalog& retention() { return store().retention(); }
    TagInventory& inventory() { return store().tag_inventory(); }

    RetentionPolicy policy()
    {
        RetentionRule newest{
            .keeps = RetentionTemplate::latest_pushed,
            .number = 3,
            .untagged = true,
            .repositories = Selectors::of_repositories({{false, "**"}}).value(),
            .tags = Selectors::of_tags({{false, "v*"}, {true, "*-rc*"}}).value(),
        };
        auto range = newest;
        range.keeps = RetentionTemplate::versions;
        range.number = 0;
        range.untagged = false;
        range.disabled = true;
        range.range = VersionRange::parse(">=1.2 <2").value();
        return {.project_id = project_id(), .rules = {newest, range}, .cron = "0 0 2 * * *", .confirm_all = true};
    }
    std::int64_t make_policy()
    {
        const auto id = run(retention().create(policy(), someone));
        EXPECT_TRUE(id) << id.error().message() << id.error().detail();
        return id.value_or(0);
    }
    TagInventory::Place place(std::string_view name)
    {
        for (const auto& each : run(inventory().repositories(project_id(), "", 100)).value()) {
            if (each.name.text() == name) return each;
        }
        ADD_FAILURE() << "no repository " << name;
        return {0, 0, repository(name)};
    }
    std::vector<RetentionCandidate> tags_of(std::string_view name, Micros now = 5000)
    {
        return run(inventory().tags(place(name), "", 100, now)).value();
    }
    Texts names_of(const std::vector<RetentionCandidate>& candidates)
    {
        Texts names;
        for (const auto& each : candidates) {
            names.push_back(each.name + (each.immutable ? " immutable" : "") + (each.in_use ? " in-use" : ""));
        }
        return names;
    }
    ImageInUse image(std::string source, std::string_view name, std::string_view text, Micros until = 9000)
    {
        return {std::move(source), repository(name), reference(text), until};
    }
};

TEST_P(RetentionContract, a_policy_reads_back_as_it_was_written)
{
    const auto id = make_policy();
    const auto found = run(retention().find(id)).value();
    EXPECT_EQ(found.project_id, project_id());
    EXPECT_EQ(found.cron, "0 0 2 * * *");
    EXPECT_TRUE(found.confirm_all);
    ASSERT_EQ(found.rules.size(), 2U);
    EXPECT_EQ(found.rules[0].keeps, RetentionTemplate::latest_pushed);
    EXPECT_EQ(found.rules[0].number, 3);
    EXPECT_TRUE(found.rules[0].untagged);
    EXPECT_EQ(found.rules[0].tags.text(), "matches v*\nexcludes *-rc*");
    EXPECT_TRUE(found.rules[1].disabled);
    EXPECT_EQ(found.rules[1].range->text(), ">=1.2 <2");
    EXPECT_EQ(run(store().projects().find(project("p")))->metadata.at("retention_id"), std::to_string(id));
    EXPECT_FAILS(Errc::bad_request, run(retention().create(policy(), someone)));
    auto changed = found;
    changed.rules.pop_back();
    changed.cron = "";
    EXPECT_SUCCEEDS(run(retention().change(changed, someone)));
    EXPECT_EQ(run(retention().find(id))->rules.size(), 1U);
    EXPECT_SUCCEEDS(run(retention().remove(id)));
    EXPECT_FAILS(Errc::not_found, run(retention().find(id)));
    EXPECT_FAILS(Errc::not_found, run(retention().change(changed, someone)));
    EXPECT_FAILS(Errc::not_found, run(retention().remove(id)));
    EXPECT_FALSE(run(store().projects().find(project("p")))->metadata.contains("retention_id"));
}

TEST_P(RetentionContract, reports_add_up_and_are_forgotten_run_by_run)
{
    const auto id = make_policy();
    const auto report = [&](std::int64_t execution, std::int64_t removed, std::string text, bool anew = false) {
        RetentionTask task{.policy_id = id, .execution_id = execution, .repository = "p/app", .removed = removed};
        task.retained = 7;
        task.report = std::move(text);
        EXPECT_SUCCEEDS(run(retention().report(std::move(task), anew)));
    };
    report(1, 3, "a\n");
    report(1, 2, "b\n");
    report(2, 9, "x\n");
    report(2, 1, "c\n", true);
    report(3, 0, "d\n");
    const auto page = run(retention().tasks(1, {}));
    ASSERT_TRUE(page);
    ASSERT_EQ(page->total, 1);
    EXPECT_EQ(page->items[0].removed, 5);
    EXPECT_EQ(page->items[0].retained, 7);
    EXPECT_EQ(run(retention().task_report(1, page->items[0].id)).value(), "a\nb\n");
    EXPECT_FAILS(Errc::not_found, run(retention().task_report(2, page->items[0].id)));
    const auto again = run(retention().tasks(2, {})).value().items.at(0);
    EXPECT_EQ(again.removed, 1);
    EXPECT_EQ(run(retention().task_report(2, again.id)).value(), "c\n");
    EXPECT_SUCCEEDS(run(retention().forget_tasks(id, 2)));
    EXPECT_EQ(run(retention().tasks(1, {}))->total, 0);
    EXPECT_EQ(run(retention().tasks(2, {}))->total, 1);
    EXPECT_SUCCEEDS(run(retention().report({.policy_id = id + 1, .execution_id = 4, .repository = "p/app"}, true)));
    EXPECT_EQ(run(retention().tasks(4, {}))->total, 0);
}

TEST_P(RetentionContract, an_inventory_shows_tags_and_what_has_none_but_no_accessories)
{
    const auto image = push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v1", "v2"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "s"}, {"sha256-" + std::string{image.hex()} + ".sig"});
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "a/sig", .subject = image});
    const auto child = push_image("p/app", {.blobs = {"c"}, .annotation = "2"});
    push_index("p/app", {child}, {"multi"});
    const auto untagged = push_image("p/app", {.blobs = {"c"}, .annotation = "3"});
    push_image("p/other", {.blobs = {"c"}}, {"x"});
    EXPECT_EQ(names_of(tags_of("p/app")), (Texts{"multi", "v1", "v2"}));
    const auto second = run(inventory().tags(place("p/app"), "multi", 1, 0)).value();
    EXPECT_EQ(names_of(second), Texts{"v1"});
    EXPECT_TRUE(second[0].tagged);
    EXPECT_EQ(second[0].pushed_at, 1000);
    const auto without = run(inventory().untagged(place("p/app"), 0, 10, 0)).value();
    EXPECT_EQ(names_of(without), Texts{untagged.text()});
    EXPECT_FALSE(without[0].tagged);
    EXPECT_TRUE(run(inventory().untagged(place("p/app"), without[0].manifest_id, 10, 0))->empty());
    EXPECT_EQ(run(inventory().repositories(project_id(), "p/app", 10))->at(0).name.text(), "p/other");
}

TEST_P(RetentionContract, what_is_immutable_or_in_use_is_marked)
{
    add_rule("keep*");
    const auto child = push_image("p/app", {.blobs = {"c"}, .annotation = "1"});
    const auto inner = push_index("p/app", {child}, {"inner"});
    push_index("p/app", {inner}, {"outer"});
    push_image("p/app", {.blobs = {"c"}, .annotation = "2"}, {"keep-1", "by-name", "idle"});
    EXPECT_SUCCEEDS(run(inventory().use(
        project_id(),
        "east",
        {image("east", "p/app", child.text()), image("east", "p/app", "by-name"), image("east", "p/app", "idle", 10)}
    )));
    EXPECT_EQ(
        names_of(tags_of("p/app")),
        (Texts{"by-name in-use", "idle", "inner in-use", "keep-1 immutable", "outer in-use"})
    );
    EXPECT_EQ(run(inventory().in_use(project_id(), 5000, {}))->total, 2);
    EXPECT_SUCCEEDS(run(inventory().use(project_id(), "west", {image("west", "p/app", "idle")})));
    EXPECT_SUCCEEDS(run(inventory().use(project_id(), "east", {})));
    const auto page = run(inventory().in_use(project_id(), 5000, {}));
    ASSERT_EQ(page->items.size(), 1U);
    EXPECT_EQ(page->items[0].source, "west");
    EXPECT_EQ(page->items[0].repository.text(), "p/app");
    EXPECT_EQ(page->items[0].reference.text(), "idle");
    EXPECT_SUCCEEDS(run(inventory().forget_unused(9000)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM images_in_use"), 0);
    EXPECT_FAILS(Errc::not_found, run(inventory().use(project_id() + 99, "east", {})));
}

TEST_P(RetentionContract, a_tag_goes_and_its_artifact_with_the_last_one)
{
    const auto app = repository("p/app");
    const auto image = push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v1", "v2"});
    const auto signature = push_image("p/app", {.blobs = {"c"}, .artifact_type = "a/sig", .subject = image});
    auto tags = tags_of("p/app");
    const auto first = run(inventory().remove(app, {tags[0]}, {7, 3000, Via::retention}));
    ASSERT_TRUE(first) << first.error().message() << first.error().detail();
    EXPECT_EQ(first->tags, 1);
    EXPECT_EQ(first->artifacts, 0);
    EXPECT_EQ((*run(store().manifests().load(app, reference("v2"))))->digest, image);
    const auto second = run(inventory().remove(app, {tags[1]}, {7, 3000, Via::retention}));
    EXPECT_EQ(second->artifacts, 1);
    for (const auto& gone : {image, signature}) {
        EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(app, Reference{gone})));
    }
    EXPECT_EQ(states("p/app", "v2").front(), "retention ?>-");
    expect_exact();
}

TEST_P(RetentionContract, what_changed_since_it_was_read_is_spared)
{
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"moved", "again", "held", "gone", "idle"}));
    const auto untagged = push_image("p/app", {.blobs = {"c"}, .annotation = "u"});
    auto doomed = tags_of("p/app");
    for (auto& each : run(inventory().untagged(place("p/app"), 0, 10, 0)).value()) doomed.push_back(each);
    ASSERT_EQ(doomed.size(), 6U);
    EXPECT_SUCCEEDS(try_push("p/app", "b", {"moved"}));
    EXPECT_SUCCEEDS(push_at(1500, "a", "again"));
    EXPECT_SUCCEEDS(run(artifacts().add_tag(app, Reference{untagged}, tag("saved"), someone)));
    EXPECT_SUCCEEDS(run(store().manifests().remove(app, reference("gone"), someone)));
    add_rule("held");
    const auto removed = run(inventory().remove(app, doomed, {7, 3000, Via::retention}));
    ASSERT_TRUE(removed) << removed.error().message() << removed.error().detail();
    EXPECT_EQ(removed->tags, 1);
    EXPECT_EQ(removed->spared, 5);
    EXPECT_EQ(removed->artifacts, 0);
    EXPECT_EQ(names_of(tags_of("p/app")), (Texts{"again", "held immutable", "moved", "saved"}));
    expect_exact();
    EXPECT_EQ(run(inventory().remove(repository("p/none"), doomed, someone))->tags, 0);
}

TEST_P(RetentionContract, an_index_that_holds_an_untagged_image_holds_it)
{
    const auto child = push_image("p/app", {.blobs = {"c"}, .annotation = "1"}, {"v1"});
    push_index("p/app", {child}, {"multi"});
    const auto removed = run(inventory().remove(repository("p/app"), {tags_of("p/app")[1]}, someone));
    EXPECT_EQ(removed->tags, 1);
    EXPECT_EQ(removed->artifacts, 0);
    EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/app"), Reference{child})));
    expect_exact();
}

TEST_P(RetentionContract, tags_expire_at_their_time_unless_they_are_pushed_again)
{
    const auto app = repository("p/app");
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1", "v2", "v3"}));
    EXPECT_SUCCEEDS(run(inventory().set_expiry(app, tag("v1"), 4000)));
    EXPECT_SUCCEEDS(run(inventory().set_expiry(app, tag("v2"), 3000)));
    EXPECT_EQ(run(inventory().expiry(app, tag("v1"))).value(), 4000);
    EXPECT_EQ(run(inventory().expiry(app, tag("v3"))).value(), 0);
    EXPECT_FAILS(Errc::manifest_unknown, run(inventory().expiry(app, tag("none"))));
    EXPECT_FAILS(Errc::manifest_unknown, run(inventory().set_expiry(app, tag("none"), 1)));
    EXPECT_TRUE(run(inventory().expired(2999, 10))->empty());
    auto expired = run(inventory().expired(5000, 10)).value();
    ASSERT_EQ(expired.size(), 2U);
    EXPECT_EQ(expired[0].tag.name, "v2");
    EXPECT_EQ(expired[0].repository.text(), "p/app");
    EXPECT_EQ(run(inventory().remove(app, {expired[0].tag}, {0, 5000, Via::expiry}))->tags, 1);
    EXPECT_SUCCEEDS(run(inventory().postpone_expiry(expired[1], 9000)));
    EXPECT_TRUE(run(inventory().expired(5000, 10))->empty());
    EXPECT_SUCCEEDS(try_push("p/app", "a", {"v1"}));
    EXPECT_EQ(run(inventory().expiry(app, tag("v1"))).value(), 0) << "what is pushed again is wanted again";
    auto lasting = viewed(app, Image{.blobs = {"c"}, .annotation = "b"}.bytes(), media::oci_manifest, {"v1"});
    lasting.tags_expire_at = 7000;
    commit(std::move(lasting));
    EXPECT_EQ(run(inventory().expiry(app, tag("v1"))).value(), 7000);
    EXPECT_EQ(states("p/app", "v2").front(), "expiry a>-");
    expect_exact();
}

}  // namespace entrepot::contract
