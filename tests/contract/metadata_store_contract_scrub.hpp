#pragma once

#include "tests/contract/metadata_store_contract_garbage.hpp"

#include <string>
#include <vector>

namespace entrepot::contract {

// What a scrub asks of the catalog (docs/decisions/0017-scrub.md).
class ScrubContract : public GarbageContract {
protected:
    ScrubCatalog& scrub() { return store().scrub(); }

    static NewFinding damaged(std::string_view content, FindingKind kind = FindingKind::missing)
    {
        return {.kind = kind, .subject = digest_of(content).text(), .size = content.size()};
    }
    bool lose(std::string_view content, FindingKind kind = FindingKind::missing, Micros now = 3000)
    {
        const auto lost = run(scrub().lose(damaged(content, kind), {0, now}));
        EXPECT_TRUE(lost) << lost.error().detail();
        return lost && *lost;
    }
    bool restore(std::string_view content)
    {
        const auto restored = run(scrub().restore(digest_of(content), sweeps(), "test", {0, 4000}));
        EXPECT_TRUE(restored) << restored.error().detail();
        return restored && *restored;
    }
    std::uint64_t adopt(std::string_view content)
    {
        const auto adopted = run(scrub().adopt(digest_of(content), content.size(), sweeps(), {0, 4000}));
        EXPECT_TRUE(adopted) << adopted.error().detail();
        return adopted.value_or(99);
    }
    BlobState state_of(std::string_view content) { return run(scrub().blob(digest_of(content))).value().value().state; }
    std::vector<Finding> findings(ListQuery query = {})
    {
        auto page = run(scrub().findings(std::move(query)));
        EXPECT_TRUE(page) << page.error().detail();
        return page ? std::move(page->items) : std::vector<Finding>{};
    }
    Finding finding_of(std::string_view content)
    {
        const auto found =
            findings({.conditions = {{"subject", ListCondition::Kind::equal, {digest_of(content).text()}}}, .order = {}}
            );
        EXPECT_EQ(found.size(), 1U);
        return found.empty() ? Finding{} : found.front();
    }
    std::int64_t events_of(const std::string& type)
    {
        return host().number("SELECT COUNT(*) FROM events WHERE type = '" + type + "'");
    }
    void push_sparse(std::string_view name, const std::vector<std::string>& blobs)
    {
        auto sparse = pushed(repository(name), Image{.blobs = blobs}, {"v"});
        sparse.may_lack_blobs = true;
        EXPECT_SUCCEEDS(run(store().manifests().commit(sparse)));
    }
};

TEST_P(ScrubContract, every_blob_is_listed_once_in_the_order_of_digests)
{
    std::set<std::string> expected;
    for (int i = 0; i < 23; ++i) {
        const auto content = "blob " + std::to_string(i);
        arrive(repository("p/a"), content);
        expected.insert(digest_of(content).text());
    }
    for (const std::int64_t limit : {1, 5, 23, 100}) {
        std::vector<std::string> seen;
        for (std::string after;;) {
            const auto page = run(scrub().blobs(after, limit)).value();
            for (const auto& blob : page) seen.push_back(blob.digest.text());
            if (std::ssize(page) < limit) break;
            after = seen.back();
        }
        EXPECT_EQ(seen, std::vector<std::string>(expected.begin(), expected.end())) << limit;
    }
    EXPECT_FALSE(run(scrub().blob(digest_of("nobody's"))).value());
}

TEST_P(ScrubContract, nobody_reads_or_links_a_lost_blob_and_all_get_it_back_once_it_is_there_again)
{
    push(repository("p/a"), {.blobs = {"config", "layer"}}, {"v"});
    arrive(repository("p/b"), "layer");
    const auto charged = bytes_of("p");
    EXPECT_TRUE(run(store().blobs().load(repository("p/a"), digest_of("layer")))) << "and remembered where it may be";
    EXPECT_TRUE(lose("layer", FindingKind::rotten));
    EXPECT_FALSE(lose("layer")) << "it is lost already";
    EXPECT_EQ(state_of("layer"), BlobState::lost);
    EXPECT_FALSE(store().blobs().peek(repository("p/a"), digest_of("layer")));
    EXPECT_FALSE(store().blobs().peek_promised(repository("p/a"), digest_of("layer")));
    EXPECT_FALSE(holds("p/a", "layer"));
    EXPECT_FALSE(holds("p/b", "layer"));
    EXPECT_TRUE(holds("p/a", "config"));
    EXPECT_FAILS(
        Errc::blob_unknown, run(store().blobs().promise(repository("p/a"), digest_of("layer"), 9000, someone))
    );
    EXPECT_FAILS(
        Errc::blob_unknown,
        run(store().blobs().mount(repository("p/c"), repository("p/a"), digest_of("layer"), someone))
    );
    EXPECT_FAILS(
        Errc::manifest_blob_unknown,
        run(store().manifests().commit(pushed(repository("p/b"), Image{.blobs = {"layer"}}, {"w"})))
    );
    EXPECT_EQ(bytes_of("p"), charged) << "it is still theirs";
    EXPECT_EQ(events_of("blob.damaged"), 1);
    expect_exact();

    EXPECT_TRUE(restore("layer"));
    EXPECT_FALSE(restore("layer"));
    EXPECT_TRUE(holds("p/a", "layer"));
    EXPECT_TRUE(holds("p/b", "layer"));
    EXPECT_EQ(events_of("blob.healed"), 1);
    EXPECT_EQ(finding_of("layer").state, FindingState::healed);
    EXPECT_EQ(bytes_of("p"), charged);
    expect_exact();
}

TEST_P(ScrubContract, a_push_of_a_lost_blob_gives_it_back_to_all_that_held_it_and_to_nobody_else)
{
    arrive(repository("p/a"), "layer");
    push_sparse("p/d", {"layer"});
    EXPECT_TRUE(lose("layer"));
    arrive(repository("p/e"), "layer");
    EXPECT_TRUE(holds("p/a", "layer"));
    EXPECT_TRUE(holds("p/e", "layer"));
    EXPECT_FALSE(holds("p/d", "layer")) << "naming it is no right to it";
    EXPECT_EQ(finding_of("layer").state, FindingState::healed);
    EXPECT_EQ(events_of("blob.healed"), 1);
    expect_exact();
}

TEST_P(ScrubContract, only_live_blobs_are_lost)
{
    arrive(repository("p/a"), "loose");
    push_sparse("p/a", {"never here"});
    EXPECT_FALSE(lose("unheard of"));
    EXPECT_FALSE(lose("never here"));
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_FALSE(lose("loose")) << "it is condemned";
    EXPECT_TRUE(findings().empty());
    EXPECT_EQ(events_of("blob.damaged"), 0);
}

TEST_P(ScrubContract, a_lost_blob_that_nobody_holds_any_more_is_collected)
{
    arrive(repository("p/a"), "loose");
    EXPECT_TRUE(lose("loose"));
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_EQ(bytes_of("p"), 0);
    EXPECT_FALSE(restore("loose"));
    EXPECT_EQ(claim(9000), digests_of({"loose"}));
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs"), 0);
    expect_exact();
}

TEST_P(ScrubContract, bytes_that_may_have_been_removed_since_they_were_looked_at_restore_nothing)
{
    arrive(repository("p/a"), "layer");
    EXPECT_TRUE(lose("layer"));
    push_sparse("p/b", {"absent"});
    const auto before = sweeps();
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(run(scrub().restore(digest_of("layer"), before, "test", someone)).value(), false);
    EXPECT_EQ(run(scrub().adopt(digest_of("absent"), 6, before, someone)).value(), 0U);
    EXPECT_TRUE(restore("layer"));
}

TEST_P(ScrubContract, repositories_adopt_what_their_manifests_name_and_lack)
{
    push_sparse("p/a", {"late"});
    push_sparse("p/b", {"late", "later"});
    arrive(repository("p/c"), "other");
    EXPECT_SUCCEEDS(run(scrub().report({damaged("late", FindingKind::orphan)}, {0, 3000})));
    EXPECT_EQ(finding_of("late").repositories, (std::vector<std::string>{"p/a", "p/b"}));
    EXPECT_EQ(adopt("late"), 2U);
    EXPECT_TRUE(holds("p/a", "late"));
    EXPECT_TRUE(holds("p/b", "late"));
    EXPECT_FALSE(holds("p/c", "late"));
    EXPECT_EQ(finding_of("late").state, FindingState::adopted);
    EXPECT_EQ(adopt("late"), 0U);
    EXPECT_EQ(adopt("nobody names this"), 0U);
    EXPECT_EQ(sweep(9000), 1U) << "only the other one is used by no manifest";
    expect_exact();
}

TEST_P(ScrubContract, what_is_adopted_does_not_fail_for_want_of_room)
{
    push_sparse("p/a", {"late"});
    const auto id = run(store().projects().find(project("p"))).value().id;
    host().number("UPDATE projects SET quota_bytes = 1 WHERE id = " + std::to_string(id) + " RETURNING id");
    EXPECT_EQ(adopt("late"), 1U);
    EXPECT_TRUE(holds("p/a", "late"));
    expect_exact();
}

TEST_P(ScrubContract, a_finding_is_open_from_when_it_was_first_seen)
{
    const auto orphan = damaged("orphan", FindingKind::orphan);
    EXPECT_SUCCEEDS(run(scrub().report({orphan, damaged("size", FindingKind::wrong_size)}, {0, 3000})));
    EXPECT_SUCCEEDS(run(scrub().report({orphan, damaged("size", FindingKind::wrong_size)}, {0, 5000})));
    EXPECT_EQ(events_of("blob.damaged"), 1) << "orphans are no damage, and one event is enough";
    auto seen = finding_of("orphan");
    EXPECT_EQ(seen.first_seen, 3000);
    EXPECT_EQ(seen.last_seen, 5000);
    EXPECT_EQ(seen.state, FindingState::open);
    EXPECT_SUCCEEDS(run(scrub().close({orphan.subject, "unheard of"}, FindingState::deleted, {0, 6000})));
    seen = finding_of("orphan");
    EXPECT_EQ(seen.state, FindingState::deleted);
    EXPECT_EQ(seen.closed_at, 6000);
    EXPECT_SUCCEEDS(run(scrub().report({orphan}, {0, 7000})));
    seen = finding_of("orphan");
    EXPECT_EQ(seen.state, FindingState::open);
    EXPECT_EQ(seen.first_seen, 7000);
    EXPECT_EQ(seen.closed_at, 0);
}

TEST_P(ScrubContract, what_was_rotten_stays_so_while_its_bytes_are_missing)
{
    arrive(repository("p/a"), "layer");
    auto rotten = damaged("layer", FindingKind::rotten);
    rotten.note = "sha256:other";
    EXPECT_TRUE(run(scrub().lose(rotten, {0, 3000})).value());
    EXPECT_SUCCEEDS(run(scrub().report({damaged("layer")}, {0, 5000})));
    const auto seen = finding_of("layer");
    EXPECT_EQ(seen.kind, FindingKind::rotten);
    EXPECT_EQ(seen.note, "sha256:other");
    EXPECT_EQ(seen.last_seen, 5000);
    EXPECT_EQ(events_of("blob.damaged"), 1);
}

TEST_P(ScrubContract, what_a_whole_scrub_has_not_seen_is_over)
{
    arrive(repository("p/a"), "here");
    EXPECT_SUCCEEDS(run(scrub().report(
        {damaged("gone", FindingKind::orphan),
         damaged("here", FindingKind::unreadable),
         damaged("still", FindingKind::orphan)},
        {0, 3000}
    )));
    EXPECT_SUCCEEDS(run(scrub().report({damaged("still", FindingKind::orphan)}, {0, 5000})));
    EXPECT_SUCCEEDS(run(scrub().finish(4000, false, R"({"blobs": 1})", {0, 6000})));
    EXPECT_EQ(finding_of("gone").state, FindingState::gone);
    EXPECT_EQ(finding_of("here").state, FindingState::open) << "nobody has read it again";
    EXPECT_EQ(finding_of("still").state, FindingState::open);
    EXPECT_SUCCEEDS(run(scrub().finish(4000, true, "{}", {0, 6000})));
    EXPECT_EQ(finding_of("here").state, FindingState::healed);
    EXPECT_EQ(events_of("scrub.finished"), 2);
    EXPECT_EQ(run(scrub().forget(6000)).value(), 0U);
    EXPECT_EQ(run(scrub().forget(6001)).value(), 2U);
    EXPECT_EQ(findings().size(), 1U);
}

TEST_P(ScrubContract, findings_are_counted_and_listed_by_what_they_are)
{
    EXPECT_TRUE(run(scrub().open_findings()).value().empty());
    EXPECT_SUCCEEDS(run(scrub().report(
        {damaged("one", FindingKind::orphan),
         damaged("three", FindingKind::orphan),
         {.kind = FindingKind::stray_upload, .subject = std::string(32, 'a'), .size = 10}},
        {0, 3000}
    )));
    EXPECT_SUCCEEDS(run(scrub().close({std::string(32, 'a')}, FindingState::deleted, someone)));
    const auto open = run(scrub().open_findings()).value();
    ASSERT_EQ(open.size(), 1U);
    EXPECT_EQ(open.front().kind, FindingKind::orphan);
    EXPECT_EQ(open.front().count, 2U);
    EXPECT_EQ(open.front().bytes, 8U);
    EXPECT_EQ(findings().front().kind, FindingKind::stray_upload) << "the newest first";
    EXPECT_EQ(findings({.conditions = {{"kind", ListCondition::Kind::equal, {"orphan"}}}, .order = {}}).size(), 2U);
    EXPECT_EQ(findings({.conditions = {{"state", ListCondition::Kind::equal, {"deleted"}}}, .order = {}}).size(), 1U);
    const auto page = run(scrub().findings({.conditions = {}, .order = {}, .offset = 1, .limit = 1})).value();
    EXPECT_EQ(page.items.size(), 1U);
    EXPECT_EQ(page.total, 3);
}

TEST_P(ScrubContract, uploads_are_known_by_their_sessions)
{
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/a"), 5)));
    const auto known = run(scrub().known_uploads({upload_id(1), upload_id(2)}));
    ASSERT_TRUE(known);
    EXPECT_EQ(*known, std::vector{upload_id(1)});
}

}  // namespace entrepot::contract
