#pragma once

#include "drivers/sql/project_budget.hpp"
#include "tests/contract/metadata_store_contract.hpp"
#include "tests/support/crowd.hpp"

#include <atomic>
#include <random>
#include <thread>

namespace entrepot::contract {

inline constexpr const char* wrongly_charged_projects =
    "SELECT count(*) FROM projects p WHERE " PROJECT_BYTES " <> "
    "(SELECT coalesce(sum(b.size), 0) FROM blobs b WHERE b.id IN (SELECT l.blob_id FROM repository_blobs l "
    "JOIN repositories r ON r.id = l.repository_id WHERE r.project_id = p.id UNION SELECT x.blob_id FROM "
    "trash_blobs x JOIN trash_manifests k ON k.id = x.manifest_id WHERE k.project_id = p.id)) + "
    "(SELECT coalesce(sum(m.size), 0) FROM manifests m JOIN repositories r ON r.id = m.repository_id "
    "WHERE r.project_id = p.id)";

inline constexpr const char* manifests_without_their_blobs =
    "SELECT count(*) FROM manifest_blobs u JOIN manifests m ON m.id = u.manifest_id "
    "LEFT JOIN repository_blobs l ON l.repository_id = m.repository_id AND l.blob_id = u.blob_id "
    "WHERE l.blob_id IS NULL";

// One random change; what it answers is not the question.
inline void change_something(MetadataStore& store, std::mt19937& random)
{
    const auto pick = [&random](unsigned count) { return static_cast<unsigned>(random() % count); };
    const RepositoryName name = repository((pick(2) ? "p/r" : "q/r") + std::to_string(pick(3)));
    const RepositoryName other = repository((pick(2) ? "p/r" : "q/r") + std::to_string(pick(3)));
    const std::string first(1 + pick(6), 'x');
    const std::string second(10 + pick(6), 'y');
    const Image image{.blobs = {first, second}, .annotation = std::to_string(pick(4))};
    const std::string named = "t" + std::to_string(pick(4));
    const Actor actor{1, 1};
    switch (pick(8)) {
        case 0:
        case 1: (void)run(store.blobs().arrive(arrival(name, first))); break;
        case 2: (void)run(store.blobs().arrive(arrival(name, second))); break;
        case 3: (void)run(store.blobs().mount(name, other, digest_of(first), actor)); break;
        case 4: (void)run(store.manifests().commit(pushed(name, image, {named}))); break;
        case 5: (void)run(store.manifests().remove(name, Reference{digest_of(image.bytes())}, actor)); break;
        case 6: (void)run(store.manifests().remove(name, reference(named), actor)); break;
        default: (void)run(store.blobs().remove(name, digest_of(pick(2) ? first : second), actor)); break;
    }
}

TEST_P(MetadataStoreContract, bytes_accounted_equal_bytes_referenced_after_random_changes)
{
    EXPECT_SUCCEEDS(run(store().projects().create({.name = project("q")}, someone)));
    std::mt19937 random{20261121};
    for (int i = 0; i < 2000; ++i) {
        change_something(store(), random);
        if (i % 100 == 0) {
            ASSERT_EQ(host().number(wrongly_charged_projects), 0) << "after " << i;
        }
    }
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
    EXPECT_GT(host().number("SELECT count(*) FROM manifests"), 0) << "nothing happened";
}

TEST_P(MetadataStoreContract, concurrent_changes_keep_every_invariant)
{
    EXPECT_SUCCEEDS(run(store().projects().create({.name = project("q")}, someone)));
    Crowd crowd;
    for (unsigned i = 0; i < 4; ++i) {
        crowd.add([this, i] {
            std::mt19937 random{i};
            for (int round = 0; round < 300; ++round) change_something(store(), random);
        });
    }
    crowd.join();
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
    EXPECT_EQ(host().number(manifests_without_their_blobs), 0);
}

TEST_P(MetadataStoreContract, concurrent_pushes_of_one_image_all_succeed)
{
    EXPECT_SUCCEEDS(run(store().projects().create({.name = project("q")}, someone)));
    std::atomic<int> failures = 0;
    Crowd crowd;
    for (unsigned i = 0; i < 4; ++i) {
        crowd.add([this, i, &failures] {
            for (int round = 0; round < 50; ++round) {
                const RepositoryName name = repository((i % 2 ? "p/same" : "q/same") + std::to_string(round));
                const Image image{.blobs = {"config" + std::to_string(round), "layer"}};
                for (const std::string& blob : image.blobs) {
                    if (!run(store().blobs().arrive(arrival(name, blob)))) ++failures;
                }
                if (!run(store().manifests().commit(pushed(name, image, {"v"})))) ++failures;
            }
        });
    }
    crowd.join();
    EXPECT_EQ(failures, 0);
    EXPECT_EQ(host().number(wrongly_charged_projects), 0);
}

TEST_P(MetadataStoreContract, a_blob_is_either_removed_or_used_by_the_manifest_that_raced_it)
{
    for (int round = 0; round < 60; ++round) {
        const RepositoryName name = repository("p/race" + std::to_string(round));
        const Image image{.blobs = {"c"}};
        arrive(name, "c");
        std::optional<Result<>> removed;
        std::optional<Result<>> committed;
        Crowd crowd;
        crowd.add([&] { removed = run(store().blobs().remove(name, digest_of("c"), someone)); });
        crowd.add([&] { committed = run(store().manifests().commit(pushed(name, image, {"v"}))); });
        crowd.join();
        ASSERT_NE(removed->has_value(), committed->has_value());
        if (!*removed) {
            ASSERT_EQ(removed->error().code(), Errc::blob_in_use);
        } else {
            ASSERT_EQ(committed->error().code(), Errc::manifest_blob_unknown);
        }
    }
}

// A writer moves a tag through numbered images and says afterwards how far it is; nobody who has heard of a number may
// be answered with an older image.
TEST_P(MetadataStoreContract, nobody_sees_an_older_digest_than_was_acknowledged)
{
    constexpr int moves = 300;
    const RepositoryName name = repository("p/hot");
    arrive(name, "c");
    std::vector<NewManifest> images;
    std::vector<Digest> digests;
    for (int i = 0; i < moves; ++i) {
        images.push_back(pushed(name, Image{.blobs = {"c"}, .annotation = std::to_string(i)}, {"v"}));
        digests.push_back(images.back().digest);
    }
    ASSERT_TRUE(run(store().manifests().commit(images[0])));
    std::atomic<int> acknowledged = 0;
    std::atomic<int> stale = 0;
    std::atomic<int> peeked = 0;
    const auto number_of = [&](const ManifestPtr& manifest) {
        return static_cast<int>(std::ranges::find(digests, manifest->digest) - digests.begin());
    };
    const auto watch = [&] {
        while (true) {
            const int floor = acknowledged;
            if (const auto hit = store().manifests().peek(name, reference("v"))) {
                ++peeked;
                if (number_of(*hit) < floor) ++stale;
            } else {
                const auto loaded = run(store().manifests().load(name, reference("v")));
                if (!loaded || number_of(*loaded) < floor) ++stale;
            }
            if (floor == moves - 1) return;
        }
    };
    Crowd crowd;
    for (int i = 0; i < 3; ++i) crowd.add(watch);
    for (int i = 1; i < moves; ++i) {
        EXPECT_TRUE(run(store().manifests().commit(images[static_cast<std::size_t>(i)])));
        acknowledged = i;
    }
    crowd.join();
    EXPECT_EQ(stale, 0);
    if (host().peeks()) {
        EXPECT_GT(peeked, 0);
    }
}

}  // namespace entrepot::contract
