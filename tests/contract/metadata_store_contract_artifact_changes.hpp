#pragma once

#include "tests/contract/metadata_store_contract_artifacts.hpp"

#include <random>

namespace entrepot::contract {

TEST_P(ArtifactContract, removing_an_artifact_takes_what_belonged_to_it_alone)
{
    const auto alone = push_image("p/app", {.blobs = {"c"}, .annotation = "1"});
    const auto shared = push_image("p/app", {.blobs = {"c"}, .annotation = "2"}, {"kept"});
    const auto index = push_index("p/app", {alone, shared}, {"multi"});
    const auto signature = push_image("p/app", {.blobs = {"c"}, .artifact_type = "a/sig", .subject = index});
    const auto app = repository("p/app");
    EXPECT_FAILS(Errc::precondition_failed, run(artifacts().remove(app, Reference{alone}, someone)));
    EXPECT_SUCCEEDS(run(artifacts().remove(app, reference("multi"), someone)));
    for (const auto& gone : {alone, index, signature}) {
        EXPECT_FAILS(Errc::manifest_unknown, run(store().manifests().load(app, Reference{gone})));
    }
    EXPECT_EQ(digests(list("p/app")), std::vector<std::string>{shared.text()});
    EXPECT_FAILS(Errc::manifest_unknown, run(artifacts().remove(app, reference("multi"), someone)));
    expect_exact();
}

TEST_P(ArtifactContract, signatures_by_tag_belong_to_their_subject_while_they_are_tagged_so)
{
    const auto image = push_image("p/app", {.blobs = {"c"}}, {"v1"});
    const auto name = "sha256-" + std::string{image.hex()} + ".sig";
    const auto old_signature = push_image("p/app", {.blobs = {"c"}, .annotation = "s1"}, {name});
    auto accessories = find("p/app", "v1").accessories;
    ASSERT_EQ(accessories.size(), 1U);
    EXPECT_EQ(accessories[0].type, "signature.cosign");
    EXPECT_EQ(accessories[0].digest, old_signature.text());
    EXPECT_EQ(accessories[0].subject_digest, image.text());
    EXPECT_EQ(list("p/app").total, 1);
    const auto new_signature = push_image("p/app", {.blobs = {"c"}, .annotation = "s2"}, {name});
    accessories = find("p/app", "v1").accessories;
    ASSERT_EQ(accessories.size(), 1U);
    EXPECT_EQ(accessories[0].digest, new_signature.text());
    const auto page = run(artifacts().accessories(repository("p/app"), reference("v1"), {}));
    ASSERT_TRUE(page);
    EXPECT_EQ(page->total, 1);
    expect_exact();
}

TEST_P(ArtifactContract, a_copy_takes_children_accessories_and_tags_along_and_no_blob_that_the_source_lacks)
{
    ASSERT_TRUE(run(store().projects().create({.name = project("q")}, {1, 10})));
    const Image one{.blobs = {"c", "layer"}, .annotation = "1"};
    const auto child = push_image("p/app", one);
    const auto index = push_index("p/app", {child}, {"v1", "latest"});
    push_image("p/app", {.blobs = {"c"}, .artifact_type = "a/sig", .subject = index});
    const auto from = repository("p/app");
    const auto into = repository("q/copy");
    const auto copied = run(artifacts().copy(from, reference("v1"), into, someone));
    ASSERT_TRUE(copied) << copied.error().message() << copied.error().detail();
    EXPECT_EQ(*copied, index);
    EXPECT_EQ((*run(store().manifests().load(into, reference("latest"))))->digest, index);
    EXPECT_SUCCEEDS(run(store().manifests().load(into, Reference{child})));
    EXPECT_SUCCEEDS(run(store().blobs().load(into, digest_of("layer"))));
    EXPECT_EQ(find("q/copy", "v1").accessories.size(), 1U);
    EXPECT_EQ(find("q/copy", "v1").size, find("p/app", "v1").size);
    EXPECT_FAILS(Errc::conflict, run(artifacts().copy(from, reference("v1"), into, someone)));
    EXPECT_FAILS(Errc::manifest_unknown, run(artifacts().copy(from, reference("v9"), into, someone)));
    EXPECT_FAILS(Errc::name_unknown, run(artifacts().copy(from, reference("v1"), repository("none/x"), someone)));
    expect_exact();

    arrive(repository("q/other"), "secret");
    auto sparse = viewed(from, Image{.blobs = {"c", "secret"}}.bytes(), media::oci_manifest, {"sparse"});
    sparse.may_lack_blobs = true;
    commit(std::move(sparse));
    EXPECT_SUCCEEDS(run(artifacts().copy(from, reference("sparse"), into, someone)));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(into, digest_of("secret"))));
}

TEST_P(ArtifactContract, removing_a_repository_frees_all_that_was_in_it)
{
    push_image("p/keep", {.blobs = {"c", "shared"}});
    const auto before = bytes_of("p");
    const auto child = push_image("p/app", {.blobs = {"c", "shared", "own"}});
    push_index("p/app", {child}, {"multi"});
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1, "p/app"), 10)));
    const auto uploads = run(store().repositories().remove(repository("p/app"), someone));
    ASSERT_TRUE(uploads) << uploads.error().message() << uploads.error().detail();
    EXPECT_EQ(uploads->size(), 1U);
    EXPECT_EQ(bytes_of("p"), before);
    EXPECT_FAILS(Errc::name_unknown, run(store().repositories().find(repository("p/app"))));
    EXPECT_FAILS(Errc::name_unknown, run(store().manifests().load(repository("p/app"), reference("multi"))));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/app"), digest_of("own"))));
    EXPECT_FAILS(Errc::name_unknown, run(store().repositories().remove(repository("p/app"), someone)));
    EXPECT_SUCCEEDS(run(store().blobs().load(repository("p/keep"), digest_of("shared"))));
    expect_exact();
}

TEST_P(ArtifactContract, every_count_is_exact_after_any_sequence_of_changes)
{
    ASSERT_TRUE(run(store().projects().create({.name = project("q")}, {1, 10})));
    const std::vector<std::string> repositories{"p/a", "p/b", "q/c"};
    std::vector<Image> images;
    std::vector<Digest> digests;
    for (int i = 0; i < 6; ++i) {
        images.push_back({.blobs = {"c", "l" + std::to_string(i % 3)}, .annotation = std::to_string(i)});
        digests.push_back(digest_of(images.back().bytes()));
    }
    for (int i = 0; i < 2; ++i) {
        images.push_back(
            {.blobs = {"c"},
             .annotation = "sig",
             .artifact_type = "a/sig",
             .subject = digests[static_cast<std::size_t>(i)]}
        );
        digests.push_back(digest_of(images.back().bytes()));
    }
    std::vector<std::string> indexes;
    for (int i = 0; i < 4; ++i) {
        indexes.push_back(
            index_of({digests[static_cast<std::size_t>(i)], digests[static_cast<std::size_t>(i + 1)]}, "i")
        );
        digests.push_back(digest_of(indexes.back()));
    }
    indexes.push_back(index_of({digests.back(), digests.front()}, "nested"));
    digests.push_back(digest_of(indexes.back()));
    const std::vector<std::string> tags{
        "a",
        "b",
        "c",
        "d",
        "sha256-" + std::string{digests[0].hex()} + ".sig",
        "sha256-" + std::string{digests[1].hex()} + ".att"
    };
    std::mt19937 random{20'261};
    const auto any = [&](const auto& choices) -> const auto& { return choices[random() % choices.size()]; };
    for (int step = 0; step < 400; ++step) {
        const auto name = repository(any(repositories));
        const Reference target = random() % 2 == 0 ? Reference{any(digests)} : Reference{tag(any(tags))};
        switch (random() % 10) {
            case 0:
            case 1:
            case 2: {
                const auto& image = any(images);
                push_image(name.text(), image, random() % 3 == 0 ? std::vector<std::string>{} : std::vector{any(tags)});
                break;
            }
            case 3:
            case 4: commit(viewed(name, any(indexes), media::oci_index, {any(tags)})); break;
            case 5: (void)run(store().manifests().remove(name, target, someone)); break;
            case 6: (void)run(artifacts().remove(name, target, someone)); break;
            case 7: (void)run(artifacts().add_tag(name, target, tag(any(tags)), someone)); break;
            case 8: (void)run(artifacts().copy(name, target, repository(any(repositories)), someone)); break;
            default:
                if (random() % 8 == 0) (void)run(store().repositories().remove(name, someone));
                break;
        }
        if (step % 40 == 39) expect_exact();
        if (HasFailure()) FAIL() << "after step " << step;
    }
    expect_exact();
    EXPECT_GT(host().number("SELECT COUNT(*) FROM artifacts"), 5);
}

}  // namespace entrepot::contract
