#pragma once

#include "tests/contract/metadata_store_contract_garbage.hpp"

namespace entrepot::contract {

// What was deleted and comes back. What is deleted at 2000 (`someone`) can be brought back until 12000.
class TrashContract : public GarbageContract {
protected:
    static constexpr Micros window = 10'000;
    static constexpr Actor restorer{8, 3000};

    void SetUp() override
    {
        GarbageContract::SetUp();
        ASSERT_TRUE(run(trash().keep_for(window)));
    }

    TrashCatalog& trash() { return store().trash(); }
    std::int64_t project_id() { return run(store().projects().find(project("p")))->id; }
    ListPage<TrashEntry> entries(ListQuery query = {})
    {
        auto page = run(trash().list(project_id(), std::move(query)));
        EXPECT_TRUE(page) << page.error().message() << page.error().detail();
        return page.value_or(ListPage<TrashEntry>{});
    }
    TrashEntry only_entry()
    {
        const auto page = entries();
        EXPECT_EQ(page.total, 1);
        if (page.items.size() != 1) throw std::runtime_error("not one entry");
        return page.items.front();
    }
    Result<RestoredTrash> restore(std::int64_t id, bool force_tags = false)
    {
        return run(trash().restore(project_id(), id, force_tags, restorer));
    }
    void remove(std::string_view name, const Digest& digest)
    {
        EXPECT_SUCCEEDS(run(store().manifests().remove(repository(name), Reference{digest}, someone)));
    }
    bool has(std::string_view name, std::string_view text)
    {
        return run(store().manifests().load(repository(name), reference(text))).has_value();
    }
    // All that GC does, without lease or grace.
    void collect(Micros before = 1'000'000)
    {
        while (remove_dead(Dead::untagged_too, before) > 0) continue;
        sweep(before);
        claim(before);
        EXPECT_SUCCEEDS(run(garbage().forget()));
    }
    std::int64_t blobs() { return host().number("SELECT COUNT(*) FROM blobs"); }
};

TEST_P(TrashContract, nothing_is_kept_without_a_window)
{
    EXPECT_SUCCEEDS(run(trash().keep_for(0)));
    remove("p/a", push_image("p/a", {.blobs = {"c"}}, {"v"}));
    EXPECT_EQ(entries().total, 0);
    collect();
    EXPECT_EQ(blobs(), 0);
}

TEST_P(TrashContract, an_image_comes_back_as_it_was)
{
    const auto image = push_image("p/a", {.blobs = {"config", "layer"}}, {"v", "w"});
    const auto label = add_label("good", "g", 0);
    EXPECT_SUCCEEDS(run(artifacts().add_label(repository("p/a"), reference("v"), label, someone)));
    EXPECT_SUCCEEDS(run(store().pulls().add({{find("p/a", "v").id, 1, 5, 1500}})));
    const auto bytes = bytes_of("p");
    remove("p/a", image);
    expect_exact();
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    EXPECT_FALSE(has("p/a", "v"));
    EXPECT_FALSE(has("p/a", image.text()));

    const auto entry = only_entry();
    EXPECT_EQ(entry.repository.text(), "p/a");
    EXPECT_EQ(entry.digest, image.text());
    EXPECT_EQ(entry.tags, (std::vector<std::string>{"v", "w"}));
    EXPECT_EQ(entry.manifests, 1);
    EXPECT_EQ(entry.deleted_at, 2000);
    EXPECT_EQ(entry.deleted_by, 7);
    EXPECT_EQ(entry.expires_at, 2000 + window);

    const auto restored = restore(entry.id);
    ASSERT_TRUE(restored) << restored.error().message() << restored.error().detail();
    EXPECT_EQ(restored->digests, std::vector{image.text()});
    EXPECT_EQ(restored->tags.size(), 2U);
    EXPECT_TRUE(has("p/a", "v") && has("p/a", "w"));
    EXPECT_EQ(bytes_of("p"), bytes);
    const auto after = find("p/a", "v");
    EXPECT_EQ(after.pushed_at, 1000);
    EXPECT_EQ(after.pulled_at, 1500);
    EXPECT_NE(after.labels_json.find("good"), std::string::npos);
    EXPECT_EQ(entries().total, 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash_manifests"), 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash_blobs"), 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM events WHERE type = 'artifact.restored'"), 1);
    expect_exact();
    collect();
    EXPECT_EQ(blobs(), 2);
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
}

TEST_P(TrashContract, restoring_twice_is_success_without_effect)
{
    remove("p/a", push_image("p/a", {.blobs = {"c"}}, {"v"}));
    const auto id = only_entry().id;
    EXPECT_SUCCEEDS(restore(id));
    const auto again = restore(id);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->digests.empty() && again->tags.empty());
    EXPECT_FAILS(Errc::not_found, restore(id + 1));
    EXPECT_FAILS(Errc::not_found, run(trash().restore(project_id() + 1, id, false, restorer)));
    EXPECT_GT(run(trash().find(project_id(), id))->restored_at, 0);
    expect_exact();
}

TEST_P(TrashContract, collections_leave_what_can_come_back)
{
    const auto image = push_image("p/a", {.blobs = {"config", "layer"}}, {"v"});
    push_image("p/b", {.blobs = {"config"}}, {"v"});
    remove("p/a", image);
    collect();
    EXPECT_EQ(blobs(), 2);
    EXPECT_FALSE(holds("p/a", "layer")) << "the repository lets go of it";
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_TRUE(holds("p/a", "layer"));
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
    expect_exact();
}

TEST_P(TrashContract, after_its_window_it_goes_and_the_bytes_with_it)
{
    const auto image = push_image("p/a", {.blobs = {"config", "layer"}}, {"v"});
    remove("p/a", image);
    collect();
    EXPECT_EQ(run(garbage().expire_trash(1999 + window, 100)).value(), 0);
    EXPECT_EQ(bytes_of("p"), 11);
    EXPECT_EQ(run(garbage().expire_trash(2000 + window, 100)).value(), 1);
    EXPECT_EQ(bytes_of("p"), 0);
    EXPECT_EQ(entries().total, 0);
    expect_exact();
    collect();
    EXPECT_EQ(blobs(), 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash"), 0);
}

TEST_P(TrashContract, expiry_takes_no_more_than_it_is_told)
{
    for (const auto* note : {"1", "2", "3"}) {
        remove("p/a", push_image("p/a", {.blobs = {"c"}, .annotation = note}));
    }
    EXPECT_EQ(run(garbage().expire_trash(1'000'000, 2)).value(), 2);
    expect_exact();
    EXPECT_EQ(entries().total, 1);
    EXPECT_EQ(run(garbage().expire_trash(1'000'000, 2)).value(), 1);
    EXPECT_EQ(run(garbage().expire_trash(1'000'000, 2)).value(), 0);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash"), 0);
    expect_exact();
}

TEST_P(TrashContract, emptying_frees_at_once_what_nothing_else_needs)
{
    const auto gone = push_image("p/a", {.blobs = {"config", "layer"}}, {"v"});
    const auto kept = push_image("p/b", {.blobs = {"config", "other"}}, {"v"});
    remove("p/a", gone);
    remove("p/b", kept);
    collect();
    EXPECT_EQ(bytes_of("p"), 16);
    const auto page = entries();
    ASSERT_EQ(page.items.size(), 2U);
    EXPECT_EQ(page.items[1].digest, gone.text());
    EXPECT_SUCCEEDS(run(trash().empty(project_id(), page.items[1].id, someone)));
    EXPECT_EQ(bytes_of("p"), 11) << "config and other are held still";
    expect_exact();
    EXPECT_FAILS(Errc::not_found, run(trash().empty(project_id(), page.items[1].id, someone)));
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_TRUE(has("p/b", "v"));
    remove("p/b", kept);
    EXPECT_EQ(run(trash().empty_all(project_id(), someone)).value(), 1);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash"), 0);
    collect();
    EXPECT_EQ(blobs(), 0);
    EXPECT_EQ(bytes_of("p"), 0);
    expect_exact();
}

TEST_P(TrashContract, an_index_comes_back_with_its_children_and_signatures)
{
    const Image one{.blobs = {"c", "1"}};
    const Image two{.blobs = {"c", "2"}};
    const auto first = push_image("p/app", one);
    const auto second = push_image("p/app", two);
    const auto index = push_index("p/app", {first, second}, {"multi"});
    const auto signature =
        push_image("p/app", {.blobs = {"s"}, .artifact_type = "application/x-sig", .subject = index});
    const auto size = find("p/app", "multi").size;
    EXPECT_SUCCEEDS(run(artifacts().remove(repository("p/app"), reference("multi"), someone)));
    expect_exact();
    collect();
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 0);
    const auto entry = only_entry();
    EXPECT_EQ(entry.digest, index.text());
    EXPECT_EQ(entry.manifests, 4);
    const auto restored = restore(entry.id);
    ASSERT_TRUE(restored) << restored.error().message() << restored.error().detail();
    EXPECT_EQ(restored->digests.size(), 4U);
    const auto found = find("p/app", "multi");
    EXPECT_EQ(found.size, size);
    EXPECT_EQ(found.accessories.size(), 1U);
    EXPECT_EQ(list("p/app").total, 1);
    EXPECT_TRUE(has("p/app", signature.text()) && has("p/app", first.text()));
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::untagged_too, 1'000'000), 0U) << "the index keeps them all";
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
}

TEST_P(TrashContract, what_a_collection_removed_later_comes_back_with_what_it_belonged_to)
{
    const auto child = push_image("p/app", {.blobs = {"c"}});
    const auto index = push_index("p/app", {child}, {"multi"});
    push_image("p/app", {.blobs = {"s"}, .artifact_type = "application/x-sig", .subject = index});
    push_image("p/app", {.blobs = {"s"}, .artifact_type = "application/x-sbom", .subject = child});
    push_image("p/app", {.blobs = {"loose"}});
    remove("p/app", index);
    EXPECT_EQ(only_entry().manifests, 1);
    collect();
    expect_exact();
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 0);
    EXPECT_EQ(only_entry().manifests, 4) << "but not what nothing kept before";
    EXPECT_FALSE(holds("p/app", "loose"));
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 4);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM artifacts WHERE dead_kind <> 0"), 0);
    expect_exact();
}

TEST_P(TrashContract, a_tag_that_is_elsewhere_now_stays_there_unless_it_is_told_to_move)
{
    const auto before = push_image("p/a", {.blobs = {"c"}, .annotation = "1"}, {"v", "w"});
    remove("p/a", before);
    const auto after = push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"v"});
    auto restored = restore(only_entry().id);
    ASSERT_TRUE(restored);
    ASSERT_EQ(restored->tags.size(), 2U);
    EXPECT_EQ(restored->tags[0].tag, "v");
    EXPECT_FALSE(restored->tags[0].reason.empty());
    EXPECT_TRUE(restored->tags[1].reason.empty());
    EXPECT_EQ(find("p/a", "v").digest, after.text());
    EXPECT_EQ(find("p/a", "w").digest, before.text());
    expect_exact();

    remove("p/a", after);
    push_image("p/a", {.blobs = {"c"}, .annotation = "3"}, {"v"});
    restored = restore(only_entry().id, true);
    ASSERT_TRUE(restored);
    EXPECT_EQ(find("p/a", "v").digest, after.text());
    expect_exact();
}

TEST_P(TrashContract, an_immutable_tag_stays_where_it_is)
{
    const auto before = push_image("p/a", {.blobs = {"c"}, .annotation = "1"}, {"v"});
    remove("p/a", before);
    const auto after = push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"v"});
    const ImmutableRule rule{
        .project_id = project_id(),
        .repositories = Selectors::of_repositories({{false, "**"}}).value(),
        .tags = Selectors::of_tags({{false, "v*"}}).value(),
    };
    EXPECT_SUCCEEDS(run(store().immutable_rules().create(rule, someone)));
    const auto restored = restore(only_entry().id, true);
    ASSERT_TRUE(restored) << restored.error().message();
    EXPECT_NE(restored->tags.at(0).reason.find("immutable"), std::string::npos);
    EXPECT_EQ(find("p/a", "v").digest, after.text());
    EXPECT_TRUE(has("p/a", before.text()));
    expect_exact();
}

TEST_P(TrashContract, what_was_pushed_again_meanwhile_gets_its_tags)
{
    const Image image{.blobs = {"c"}};
    const auto digest = push_image("p/a", image, {"v", "w"});
    remove("p/a", digest);
    push_image("p/a", image);
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_EQ(find("p/a", "v").digest, digest.text());
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 1);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
}

TEST_P(TrashContract, tags_that_retention_took_one_by_one_come_back_with_their_artifact)
{
    push_image("p/a", {.blobs = {"c"}}, {"v", "w"});
    const auto places = run(store().tag_inventory().repositories(project_id(), "", 10)).value();
    const auto doomed = run(store().tag_inventory().tags(places.at(0), "", 10, 2000)).value();
    ASSERT_EQ(doomed.size(), 2U);
    EXPECT_EQ(run(store().tag_inventory().remove(repository("p/a"), doomed, {0, 2000, Via::retention}))->artifacts, 1);
    const auto entry = only_entry();
    EXPECT_EQ(entry.tags, (std::vector<std::string>{"v", "w"}));
    EXPECT_EQ(entry.how, "retention");
    EXPECT_SUCCEEDS(restore(entry.id));
    EXPECT_TRUE(has("p/a", "v") && has("p/a", "w"));
    expect_exact();
}

TEST_P(TrashContract, a_repository_comes_back_as_a_whole)
{
    const auto one = push_image("p/a", {.blobs = {"c"}, .annotation = "1"}, {"v"});
    push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"w"});
    push_image("p/a", {.blobs = {"s"}, .artifact_type = "application/x-sig", .subject = one});
    EXPECT_SUCCEEDS(run(store().repositories().describe(repository("p/a"), "ours", someone)));
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/a"), someone)));
    expect_exact();
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM repositories"), 0);
    collect();
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    const auto entry = only_entry();
    EXPECT_TRUE(entry.digest.empty());
    EXPECT_EQ(entry.manifests, 3);
    push_image("p/a", {.blobs = {"c"}, .annotation = "3"}, {"v"});
    EXPECT_EQ(run(store().repositories().find(repository("p/a")))->description, "");
    EXPECT_SUCCEEDS(restore(entry.id));
    EXPECT_EQ(run(store().repositories().find(repository("p/a")))->description, "ours");
    EXPECT_EQ(list("p/a").total, 3);
    EXPECT_NE(find("p/a", "v").digest, one.text());
    EXPECT_TRUE(has("p/a", "w"));
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
    expect_exact();
}

TEST_P(TrashContract, a_large_repository_goes_and_comes_back_in_parts)
{
    arrive(repository("p/a"), "c");
    for (int i = 0; i < 450; ++i) {
        const auto note = std::to_string(i);
        commit(viewed(
            repository("p/a"), Image{.blobs = {"c"}, .annotation = note}.bytes(), media::oci_manifest, {"t" + note}
        ));
    }
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/a"), someone)));
    EXPECT_EQ(only_entry().manifests, 450);
    expect_exact();
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_EQ(list("p/a").total, 450);
    expect_exact();
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/a"), someone)));
    EXPECT_EQ(run(trash().empty_all(project_id(), someone)).value(), 1);
    EXPECT_EQ(bytes_of("p"), 0);
    expect_exact();
}

TEST_P(TrashContract, a_project_goes_with_its_trash)
{
    remove("p/a", push_image("p/a", {.blobs = {"c"}}, {"v"}));
    const auto id = project_id();
    EXPECT_FAILS(Errc::precondition_failed, run(store().projects().remove(id, someone)));
    EXPECT_EQ(entries().total, 1) << "nothing was lost by asking";
    EXPECT_SUCCEEDS(run(store().repositories().remove(repository("p/a"), someone)));
    EXPECT_SUCCEEDS(run(store().projects().remove(id, someone)));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM trash"), 0);
    collect();
    EXPECT_EQ(blobs(), 0);
}

TEST_P(TrashContract, a_blob_that_a_client_deletes_is_held_by_what_was_deleted)
{
    const auto image = push_image("p/a", {.blobs = {"c", "l"}}, {"v"});
    remove("p/a", image);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of("l"), someone)));
    EXPECT_FALSE(holds("p/a", "l"));
    collect();
    EXPECT_SUCCEEDS(restore(only_entry().id));
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
    expect_exact();
}

TEST_P(TrashContract, a_quota_holds_for_what_comes_back)
{
    const auto gone = push_image("p/a", {.blobs = {"c"}, .annotation = "1"}, {"v"});
    remove("p/a", gone);
    push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"w"});
    EXPECT_SUCCEEDS(run(store().projects().set_quota(project_id(), {.bytes = {}, .artifacts = 1}, someone)));
    const auto id = only_entry().id;
    EXPECT_FAILS(Errc::quota_exceeded, restore(id));
    EXPECT_EQ(only_entry().id, id);
    expect_exact();
    EXPECT_SUCCEEDS(run(store().projects().set_quota(project_id(), {.bytes = {}, .artifacts = 2}, someone)));
    EXPECT_SUCCEEDS(restore(id));
    expect_exact();
}

TEST_P(TrashContract, lists_are_filtered_and_paged)
{
    for (const auto* name : {"p/a", "p/b/c"}) remove(name, push_image(name, {.blobs = {"c"}}, {"v"}));
    ListQuery query;
    query.conditions.push_back({"repository", ListCondition::Kind::equal, {"b/c"}});
    ASSERT_EQ(entries(query).total, 1);
    EXPECT_EQ(entries(query).items.front().repository.text(), "p/b/c");
    query.conditions.front() = {"deleted_at", ListCondition::Kind::range, {"1970-01-02T00:00:00Z", ""}};
    EXPECT_EQ(entries(query).total, 0);
    query.conditions.clear();
    query.offset = 1;
    EXPECT_EQ(entries(query).items.size(), 1U);
    query.conditions.push_back({"body", ListCondition::Kind::equal, {"x"}});
    EXPECT_FAILS(Errc::bad_request, run(trash().list(project_id(), query)));
    const auto totals = run(trash().totals()).value();
    EXPECT_EQ(totals.entries, 2);
    EXPECT_GT(totals.bytes, 0);
}

TEST_P(TrashContract, tags_go_back_to_what_they_were)
{
    using Step = TagReturn::Step;
    const auto one = push_image("p/a", {.blobs = {"c", "1"}, .annotation = "1"}, {"moved", "gone"});
    const auto two = push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"same"});
    auto next = viewed(
        repository("p/a"), Image{.blobs = {"c"}, .annotation = "3"}.bytes(), media::oci_manifest, {"moved", "later"}
    );
    next.actor.at = 1800;
    commit(next);
    remove("p/a", one);
    collect();
    EXPECT_FALSE(has("p/a", "gone"));
    const auto plan = run(trash().plan(repository("p/a"), 1500, true, 100));
    ASSERT_TRUE(plan) << plan.error().message() << plan.error().detail();
    std::map<std::string, Step> steps;
    for (const auto& step : plan->tags) steps[step.tag] = step.step;
    EXPECT_EQ(
        steps,
        (std::map<std::string, Step>{
            {"gone", Step::returns}, {"moved", Step::returns}, {"same", Step::stays}, {"later", Step::leaves}
        })
    );
    EXPECT_FALSE(has("p/a", "gone")) << "a plan changes nothing";
    EXPECT_SUCCEEDS(run(trash().go_back(repository("p/a"), 1500, false, 100, restorer)));
    EXPECT_EQ(find("p/a", "moved").digest, one.text());
    EXPECT_EQ(find("p/a", "gone").digest, one.text());
    EXPECT_EQ(find("p/a", "same").digest, two.text());
    EXPECT_TRUE(has("p/a", "later"));
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
    expect_exact();
    EXPECT_SUCCEEDS(run(trash().go_back(repository("p/a"), 1500, true, 100, restorer)));
    EXPECT_FALSE(has("p/a", "later"));
    expect_exact();
    EXPECT_FAILS(Errc::unprocessable, run(trash().go_back(repository("p/a"), 1500, false, 2, restorer)));
    EXPECT_TRUE(run(trash().plan(repository("p/a"), 1500, false, 2))->truncated);
    EXPECT_FAILS(Errc::name_unknown, run(trash().plan(repository("p/none"), 1500, false, 2)));
}

TEST_P(TrashContract, a_tag_whose_image_is_gone_for_good_is_told)
{
    const auto one = push_image("p/a", {.blobs = {"c"}, .annotation = "1"}, {"v"});
    push_image("p/a", {.blobs = {"c"}, .annotation = "2"}, {"w"});
    remove("p/a", one);
    EXPECT_EQ(run(trash().empty_all(project_id(), someone)).value(), 1);
    const auto done = run(trash().go_back(repository("p/a"), 1500, false, 100, restorer));
    ASSERT_TRUE(done) << done.error().message();
    EXPECT_EQ(done->tags.at(0).step, TagReturn::Step::lost);
    EXPECT_FALSE(has("p/a", "v"));
    expect_exact();
}

}  // namespace entrepot::contract
