#pragma once

#include "tests/contract/metadata_store_contract_garbage.hpp"
#include "tests/support/crowd.hpp"

#include <atomic>
#include <set>

namespace entrepot::contract {

// The hashes of blobs' chunks, and how long they stay.
class ChunkContract : public GarbageContract {
protected:
    ChunkCatalog& chunks() { return store().chunks(); }

    // Any bytes do: what they are is not the catalog's matter.
    static ChunkList list_of(std::string_view content, std::size_t hashes = 1)
    {
        ChunkList list{.of = {.blob = digest_of(content), .size = content.size(), .root = std::string(32, '\0')}};
        list.of.root.back() = content.back();
        for (std::size_t i = 0; i < 32 * hashes; ++i) list.hashes.push_back(static_cast<char>(i * 31 + content.size()));
        return list;
    }
    void arrive_and_store(std::string_view content, std::size_t hashes = 1)
    {
        arrive(repository("p/a"), content);
        EXPECT_SUCCEEDS(run(chunks().store(list_of(content, hashes))));
    }
    std::size_t known(const std::vector<std::string>& contents)
    {
        std::vector<Digest> blobs;
        for (const auto& content : contents) blobs.push_back(digest_of(content));
        return run(chunks().roots(std::move(blobs))).value().size();
    }
    std::int64_t rows()
    {
        return host().number("SELECT (SELECT COUNT(*) FROM chunk_roots) + (SELECT COUNT(*) FROM chunk_hashes)");
    }
};

TEST_P(ChunkContract, hashes_of_a_blob_are_what_was_stored_first)
{
    const auto list = list_of("blob", 3);
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().store(list)));
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().hashes(list.of.blob)));
    arrive(repository("p/a"), "blob");
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().hashes(list.of.blob)));
    EXPECT_EQ(known({"blob"}), 0U);
    auto other = list;
    other.of.size += 1;
    EXPECT_FAILS(Errc::corrupt, run(chunks().store(other)));
    EXPECT_SUCCEEDS(run(chunks().store(list)));
    EXPECT_EQ(run(chunks().hashes(list.of.blob)).value(), list.hashes);
    const auto roots = run(chunks().roots({list.of.blob})).value();
    ASSERT_EQ(roots.size(), 1U);
    EXPECT_EQ(roots[0].blob, list.of.blob);
    EXPECT_EQ(roots[0].size, 4U);
    EXPECT_EQ(roots[0].root, list.of.root);
    EXPECT_SUCCEEDS(run(chunks().store(list_of("blob", 9))));
    EXPECT_EQ(run(chunks().hashes(list.of.blob)).value(), list.hashes);
    EXPECT_EQ(rows(), 2);
}

TEST_P(ChunkContract, an_empty_blob_has_no_hashes_and_a_large_one_many)
{
    arrive(repository("p/a"), "");
    const ChunkList empty{.of = {.blob = digest_of(""), .size = 0, .root = std::string(32, 'r')}};
    EXPECT_SUCCEEDS(run(chunks().store(empty)));
    EXPECT_EQ(run(chunks().hashes(empty.of.blob)).value(), "");
    EXPECT_EQ(known({""}), 1U);
    const auto large = list_of("large", 40'000);  // of 10 GB
    arrive_and_store("large", 40'000);
    EXPECT_EQ(run(chunks().hashes(large.of.blob)).value(), large.hashes);
}

TEST_P(ChunkContract, roots_of_many_are_those_that_are_known_each_once)
{
    EXPECT_TRUE(run(chunks().roots({})).value().empty());
    std::vector<Digest> asked;
    std::set<std::string> stored;
    for (unsigned i = 0; i < 150; ++i) {
        const auto content = "blob" + std::to_string(i);
        if (i % 3 == 0) {
            arrive_and_store(content);
            stored.insert(digest_of(content).text());
        }
        asked.push_back(digest_of(content));
        asked.insert(asked.begin(), digest_of(content));
    }
    std::multiset<std::string> answered;
    for (const auto& root : run(chunks().roots(asked)).value()) answered.insert(root.blob.text());
    EXPECT_EQ(answered, (std::multiset<std::string>{stored.begin(), stored.end()}));
    for (const std::size_t many : {31U, 32U, 33U, 64U}) {
        std::vector<std::string> contents;
        for (std::size_t i = 0; i < many; ++i) contents.push_back("blob" + std::to_string(i));
        EXPECT_EQ(known(contents), (many + 2) / 3);
    }
}

TEST_P(ChunkContract, two_that_store_the_same_at_once_both_succeed)
{
    for (unsigned round = 0; round < 30; ++round) {
        const auto content = "blob" + std::to_string(round);
        arrive(repository("p/a"), content);
        std::atomic<unsigned> stored = 0;
        Crowd crowd;
        for (unsigned i = 0; i < 3; ++i) {
            crowd.add([&] { stored += run(chunks().store(list_of(content, 2))) ? 1 : 0; });
        }
        crowd.join();
        ASSERT_EQ(stored, 3U);
        ASSERT_EQ(run(chunks().hashes(digest_of(content))).value(), list_of(content, 2).hashes);
    }
}

TEST_P(ChunkContract, they_go_with_the_blob)
{
    arrive_and_store("gone", 100);
    arrive_and_store("stays");
    EXPECT_EQ(rows(), 4);
    push(repository("p/a"), {.blobs = {"stays"}}, {"v"});
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_EQ(known({"gone"}), 0U) << "condemned";
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().hashes(digest_of("gone"))));
    EXPECT_EQ(claim(9000), digests_of({"gone"}));
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().store(list_of("gone"))));
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(rows(), 2);
    EXPECT_EQ(known({"gone", "stays"}), 1U);
    expect_exact();
}

TEST_P(ChunkContract, they_are_not_told_of_a_blob_whose_bytes_are_not_here)
{
    arrive_and_store("layer");
    EXPECT_EQ(sweep(9000), 1U);
    EXPECT_EQ(claim(9000), digests_of({"layer"}));
    auto sparse = pushed(repository("p/b"), {.blobs = {"config", "layer"}}, {"v"});
    sparse.may_lack_blobs = true;
    arrive(repository("p/b"), "config");
    EXPECT_SUCCEEDS(run(store().manifests().commit(sparse)));
    EXPECT_SUCCEEDS(run(garbage().forget()));
    EXPECT_EQ(host().number("SELECT COUNT(*) FROM blobs WHERE state = 1"), 1);
    EXPECT_EQ(known({"layer"}), 0U);
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().hashes(digest_of("layer"))));
    EXPECT_FAILS(Errc::blob_unknown, run(chunks().store(list_of("layer"))));
    EXPECT_EQ(arrive_after(sweeps(), "layer"), Arrived::linked);
    EXPECT_EQ(run(chunks().hashes(digest_of("layer"))).value(), list_of("layer").hashes);
}

TEST_P(ChunkContract, a_list_that_comes_while_the_blob_goes_never_stays_alone)
{
    for (unsigned round = 0; round < 30; ++round) {
        const auto content = "blob" + std::to_string(round);
        ASSERT_EQ(arrive_after(sweeps(), content), Arrived::linked);
        std::optional<Result<>> stored;
        Crowd crowd;
        crowd.add([&] { stored = run(chunks().store(list_of(content, 50))); });
        crowd.add([&] {
            EXPECT_EQ(sweep(9000), 1U);
            EXPECT_EQ(claim(9000), digests_of({content}));
            EXPECT_SUCCEEDS(run(garbage().forget()));
        });
        crowd.join();
        if (!*stored) {
            EXPECT_EQ(stored->error().code(), Errc::blob_unknown) << stored->error().detail();
        }
        ASSERT_EQ(rows(), 0);
    }
}

}  // namespace entrepot::contract
