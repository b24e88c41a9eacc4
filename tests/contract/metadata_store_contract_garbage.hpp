#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"
#include "tests/contract/metadata_store_contract_races.hpp"

#include <map>
#include <set>

namespace entrepot::contract {

// What garbage collection asks of the catalog (docs/decisions/0014-garbage-collection.md). Times are numbers: pushes
// come at 1000, as everywhere in these tests, and each step says what time it thinks it is.
class GarbageContract : public ArtifactContract {
protected:
    using Dead = GarbageCatalog::Dead;
    using Arrived = BlobCatalog::Arrived;

    GarbageCatalog& garbage() { return store().garbage(); }

    // SweepLinks for all that was promised at `before` or earlier: how many links went.
    std::uint64_t sweep(Micros before, Micros now = 5000)
    {
        std::map<std::int64_t, std::vector<UnusedLink>> by_project;
        const auto links = run(garbage().unused_links(before, 1000));
        EXPECT_TRUE(links);
        for (const auto& link : *links) by_project[link.project_id].push_back(link);
        std::uint64_t swept = 0;
        for (const auto& [project_id, of_project] : by_project) {
            swept += run(garbage().sweep_links(project_id, of_project, {0, now})).value();
        }
        return swept;
    }
    // Claim: the texts' digests that begin to leave.
    std::set<std::string> claim(Micros before)
    {
        std::set<std::string> digests;
        for (const auto& blob : run(garbage().claim(before, 1000)).value()) digests.insert(blob.digest.text());
        return digests;
    }
    static std::set<std::string> digests_of(const std::vector<std::string>& contents)
    {
        std::set<std::string> digests;
        for (const auto& content : contents) digests.insert(digest_of(content).text());
        return digests;
    }
    std::uint64_t remove_dead(Dead which, Micros before)
    {
        std::uint64_t removed = 0;
        for (const auto& dead : run(garbage().dead_manifests(which, before, 1000)).value()) {
            const auto outcome = run(garbage().remove_manifests(dead.repository, {dead.id}, which, before, {0, 6000}));
            EXPECT_TRUE(outcome) << outcome.error().detail();
            removed += outcome->manifests;
        }
        return removed;
    }
    std::int64_t sweeps() { return run(store().blobs().look(digest_of("any"))).value().sweeps; }
    Arrived arrive_after(std::int64_t sweeps, std::string_view content)
    {
        auto coming = arrival(repository("p/a"), content);
        coming.sweeps = sweeps;
        return run(store().blobs().arrive(coming)).value();
    }
    bool holds(std::string_view name, std::string_view content)
    {
        return run(store().blobs().load(repository(name), digest_of(content))).has_value();
    }
};

TEST_P(GarbageContract, a_blob_that_no_manifest_needs_goes_when_its_lease_is_over)
{
    arrive(repository("p/a"), "loose");
    push(repository("p/a"), {.blobs = {"config", "layer"}}, {"v"});
    EXPECT_EQ(sweep(999), 0U) << "its lease still holds";
    EXPECT_TRUE(claim(9000).empty());
    EXPECT_EQ(sweep(1000), 1U);
    EXPECT_FALSE(holds("p/a", "loose"));
    EXPECT_TRUE(holds("p/a", "layer"));
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    EXPECT_TRUE(claim(4999).empty()) << "it was condemned at 5000";
    EXPECT_EQ(claim(5000), digests_of({"loose"}));
    EXPECT_EQ(claim(0), digests_of({"loose"})) << "what a killed process claimed is claimed again";
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_TRUE(claim(9000).empty());
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs"), 2);
    expect_exact();
}

TEST_P(GarbageContract, the_blobs_of_a_removed_manifest_go_unless_another_one_needs_them)
{
    const Image first{.blobs = {"config", "one", "both"}};
    const Image second{.blobs = {"config", "two", "both"}};
    push(repository("p/a"), first, {"v"});
    push(repository("p/a"), second, {"w"});
    EXPECT_EQ(sweep(9000), 0U);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(first.bytes())}, someone)));
    expect_exact();
    EXPECT_EQ(sweep(1999), 0U) << "promised until its manifest was removed at 2000";
    EXPECT_EQ(sweep(2000), 1U);
    EXPECT_EQ(claim(9000), digests_of({"one"}));
    EXPECT_EQ(bytes_of("p"), static_cast<std::int64_t>(second.bytes().size() + 6 + 3 + 4));
    expect_exact();
}

TEST_P(GarbageContract, a_blob_is_condemned_when_the_last_repository_lets_go_of_it)
{
    arrive(repository("p/a"), "shared");
    EXPECT_SUCCEEDS(run(store().blobs().mount(repository("p/b"), repository("p/a"), digest_of("shared"), {7, 4000})));
    EXPECT_EQ(sweep(3000), 1U);
    EXPECT_FALSE(holds("p/a", "shared"));
    EXPECT_TRUE(holds("p/b", "shared"));
    EXPECT_TRUE(claim(9000).empty());
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/b"), digest_of("shared"), someone)));
    EXPECT_EQ(claim(9000), digests_of({"shared"}));
    EXPECT_FAILS(
        Errc::blob_unknown,
        run(store().blobs().mount(repository("p/a"), repository("p/b"), digest_of("shared"), someone))
    );
    expect_exact();
}

TEST_P(GarbageContract, who_asks_for_a_blob_may_rely_on_it)
{
    const auto promise = [&](std::string_view content, Micros renewed_before, Micros now) {
        return run(store().blobs().promise(repository("p/a"), digest_of(content), renewed_before, {7, now}));
    };
    arrive(repository("p/a"), "hello");
    EXPECT_EQ(promise("hello", 1000, 2000).value(), 5U);
    EXPECT_EQ(sweep(999), 0U);
    EXPECT_EQ(host().number("SELECT unused_since FROM repository_blobs"), 1000) << "young enough as it was";
    EXPECT_EQ(promise("hello", 1001, 2000).value(), 5U);
    EXPECT_EQ(host().number("SELECT unused_since FROM repository_blobs"), 2000);
    EXPECT_FALSE(store().blobs().peek_promised(repository("p/a"), digest_of("hello")))
        << "from memory nothing is renewed";
    EXPECT_FAILS(Errc::blob_unknown, promise("other", 0, 2000));
    EXPECT_EQ(sweep(1999), 0U);
    EXPECT_EQ(sweep(2000), 1U);
    EXPECT_FAILS(Errc::blob_unknown, promise("hello", 1001, 2000));
}

TEST_P(GarbageContract, what_a_manifest_uses_is_promised_from_memory_until_it_is_removed)
{
    const Image image{.blobs = {"config", "layer"}};
    push(repository("p/a"), image, {"v"});
    EXPECT_EQ(run(store().blobs().promise(repository("p/a"), digest_of("layer"), 9000, {7, 9000})).value(), 5U);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM repository_blobs WHERE unused_since <> 0"), 0);
    if (host().peeks()) EXPECT_EQ(store().blobs().peek_promised(repository("p/a"), digest_of("layer")), 5U);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(image.bytes())}, someone)));
    EXPECT_FALSE(store().blobs().peek_promised(repository("p/a"), digest_of("layer")));
}

TEST_P(GarbageContract, a_push_brings_a_condemned_blob_back)
{
    arrive(repository("p/a"), "hello");
    EXPECT_EQ(sweep(1000), 1U);
    arrive(repository("p/b"), "hello");
    EXPECT_TRUE(claim(9000).empty());
    EXPECT_TRUE(holds("p/b", "hello"));
    expect_exact();
}

TEST_P(GarbageContract, bytes_that_were_stored_before_a_removal_ended_are_looked_at_again)
{
    const auto before = sweeps();
    EXPECT_EQ(arrive_after(before, "hello"), Arrived::linked);
    EXPECT_EQ(sweep(1000), 1U);
    EXPECT_EQ(claim(5000), digests_of({"hello"}));
    EXPECT_TRUE(run(store().blobs().look(digest_of("hello")))->leaving);
    EXPECT_EQ(arrive_after(before, "hello"), Arrived::look_again);
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(arrive_after(before, "hello"), Arrived::look_again) << "the row is gone, and so may be the bytes";
    EXPECT_FALSE(holds("p/a", "hello"));
    EXPECT_FALSE(run(store().blobs().look(digest_of("hello")))->leaving);
    EXPECT_EQ(arrive_after(sweeps(), "hello"), Arrived::linked);
    EXPECT_EQ(arrive_after(before, "hello"), Arrived::linked) << "a live blob's bytes are there whoever looked when";
    expect_exact();
}

TEST_P(GarbageContract, a_blob_that_a_sparse_manifest_names_is_expected_and_kept_once_it_comes)
{
    auto sparse = pushed(repository("p/a"), Image{.blobs = {"config", "late"}}, {"v"});
    sparse.may_lack_blobs = true;
    EXPECT_SUCCEEDS(run(store().manifests().commit(sparse)));
    EXPECT_TRUE(claim(9000).empty());
    const auto before = sweeps();
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs WHERE state = 1"), 2);
    EXPECT_EQ(arrive_after(before, "late"), Arrived::look_again);
    EXPECT_EQ(arrive_after(sweeps(), "late"), Arrived::linked);
    EXPECT_EQ(sweep(9000), 0U) << "the manifest used it before it came";
    expect_exact();
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{sparse.digest}, someone)));
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_EQ(claim(9000), digests_of({"late"}));
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs"), 0) << "nor is anything expected any more";
}

TEST_P(GarbageContract, bytes_of_a_blob_that_is_named_but_held_by_nobody_go_and_the_name_stays)
{
    arrive(repository("p/a"), "layer");
    auto sparse = pushed(repository("p/b"), Image{.blobs = {"layer"}}, {"v"});
    sparse.may_lack_blobs = true;
    EXPECT_SUCCEEDS(run(store().manifests().commit(sparse)));
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_EQ(claim(9000), digests_of({"layer"}));
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs WHERE state = 1"), 1);
    expect_exact();
}

TEST_P(GarbageContract, an_image_whose_tag_moved_on_is_dead_from_then_on)
{
    push(repository("p/a"), {.blobs = {"c"}}, {"v"});
    auto next = pushed(repository("p/a"), Image{.blobs = {"c"}, .annotation = "2"}, {"v"});
    next.actor.at = 3000;
    EXPECT_SUCCEEDS(run(store().manifests().commit(next)));
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::untagged_too, 2999), 0U);
    EXPECT_EQ(remove_dead(Dead::orphaned, 9000), 0U);
    EXPECT_EQ(remove_dead(Dead::untagged_too, 3000), 1U);
    EXPECT_TRUE(run(store().manifests().load(repository("p/a"), reference("v"))));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 1);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    expect_exact();
}

TEST_P(GarbageContract, a_dead_image_that_is_tagged_before_it_is_removed_stays)
{
    const Image image{.blobs = {"c"}};
    push(repository("p/a"), image);
    const auto dead = run(garbage().dead_manifests(Dead::untagged_too, 9000, 10)).value();
    ASSERT_EQ(dead.size(), 1U);
    push(repository("p/a"), image, {"v"});
    const auto removed =
        run(garbage().remove_manifests(repository("p/a"), {dead.front().id}, Dead::untagged_too, 9000, someone));
    EXPECT_EQ(removed->manifests, 0U);
    EXPECT_TRUE(run(store().manifests().load(repository("p/a"), reference("v"))));
}

TEST_P(GarbageContract, children_live_as_long_as_their_index_and_a_while_longer)
{
    const Image child{.blobs = {"c"}};
    push_image("p/app", child);
    expect_exact();
    const auto index = push_index("p/app", {digest_of(child.bytes())}, {"v"});
    EXPECT_EQ(remove_dead(Dead::untagged_too, 9000), 0U);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/app"), reference("v"), {7, 3000})));
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::untagged_too, 3000), 1U) << "the index";
    EXPECT_EQ(remove_dead(Dead::untagged_too, 5999), 0U) << "the child died with it, at 6000";
    EXPECT_EQ(remove_dead(Dead::untagged_too, 6000), 1U);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 0);
    expect_exact();
}

TEST_P(GarbageContract, a_signature_follows_its_subject_and_waits_for_one_that_is_to_come)
{
    const Image image{.blobs = {"c"}};
    const Image signature{.blobs = {"c"}, .artifact_type = "application/x-sig", .subject = digest_of(image.bytes())};
    push_image("p/a", signature);
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::orphaned, 9000), 0U) << "its subject may be on its way";
    push_image("p/a", image, {"v"});
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::untagged_too, 9000), 0U);
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(image.bytes())}, someone)));
    expect_exact();
    EXPECT_EQ(remove_dead(Dead::orphaned, 1999), 0U);
    EXPECT_EQ(remove_dead(Dead::orphaned, 2000), 1U);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM manifests"), 0);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
}

TEST_P(GarbageContract, bytes_that_no_row_knows_are_condemned)
{
    arrive(repository("p/a"), "known");
    EXPECT_SUCCEEDS(run(garbage().condemn_unknown({{digest_of("known"), 5}, {digest_of("orphan"), 6}}, {0, 3000})));
    EXPECT_TRUE(holds("p/a", "known"));
    EXPECT_EQ(claim(3000), digests_of({"orphan"}));
}

TEST_P(GarbageContract, an_estimate_is_what_would_go)
{
    const Image image{.blobs = {"config", "only here"}};
    push(repository("p/a"), image);
    push(repository("p/a"), {.blobs = {"config"}}, {"v"});
    arrive(repository("p/a"), "loose");
    arrive(repository("p/b"), "promised");
    auto garbage_now = run(garbage().estimate(Dead::orphaned, 9000, 9000));
    ASSERT_TRUE(garbage_now) << garbage_now.error().detail();
    EXPECT_EQ(garbage_now->manifests, 0U);
    EXPECT_EQ(garbage_now->blobs, 2U);
    EXPECT_EQ(garbage_now->bytes, 5U + 8U);
    garbage_now = run(garbage().estimate(Dead::untagged_too, 9000, 999));
    EXPECT_EQ(garbage_now->manifests, 1U);
    EXPECT_EQ(garbage_now->blobs, 1U);
    EXPECT_EQ(garbage_now->bytes, 9U);
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs"), 4) << "nothing was changed";
}

}  // namespace entrepot::contract
