#pragma once

#include "tests/contract/metadata_store_contract.hpp"

#include <algorithm>

namespace entrepot::contract {

TEST_P(MetadataStoreContract, a_blob_is_in_the_repository_it_arrived_in_and_in_no_other)
{
    arrive(repository("p/a"), "hello");
    EXPECT_EQ(run(store().blobs().load(repository("p/a"), digest_of("hello"))).value(), 5U);
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/b"), digest_of("hello"))));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/a"), digest_of("other"))));
    EXPECT_FAILS(Errc::name_unknown, run(store().blobs().arrive(arrival(repository("q/a"), "hello"))));
}

TEST_P(MetadataStoreContract, charges_a_project_once_for_a_blob_in_several_repositories)
{
    arrive(repository("p/a"), "hello");
    arrive(repository("p/a"), "hello");
    arrive(repository("p/b"), "hello");
    EXPECT_EQ(bytes_of("p"), 5);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of("hello"), someone)));
    EXPECT_EQ(bytes_of("p"), 5);
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/b"), digest_of("hello"), someone)));
    EXPECT_EQ(bytes_of("p"), 0);
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().remove(repository("p/b"), digest_of("hello"), someone)));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().remove(repository("q/b"), digest_of("hello"), someone)));
}

TEST_P(MetadataStoreContract, mounts_from_a_repository_that_holds_the_blob)
{
    EXPECT_SUCCEEDS(run(store().projects().create({.name = project("q")}, someone)));
    arrive(repository("p/a"), "hello");
    EXPECT_EQ(
        run(store().blobs().mount(repository("q/b"), repository("p/a"), digest_of("hello"), someone)).value(), 5U
    );
    EXPECT_SUCCEEDS(run(store().blobs().mount(repository("q/b"), repository("p/a"), digest_of("hello"), someone)));
    EXPECT_EQ(run(store().blobs().load(repository("q/b"), digest_of("hello"))).value(), 5U);
    EXPECT_EQ(bytes_of("q"), 5);
    EXPECT_FAILS(
        Errc::blob_unknown, run(store().blobs().mount(repository("q/b"), repository("p/a"), digest_of("x"), someone))
    );
    EXPECT_FAILS(
        Errc::blob_unknown,
        run(store().blobs().mount(repository("q/b"), repository("p/none"), digest_of("hello"), someone))
    );
    EXPECT_FAILS(
        Errc::name_unknown,
        run(store().blobs().mount(repository("r/b"), repository("p/a"), digest_of("hello"), someone))
    );
}

TEST_P(MetadataStoreContract, names_some_holders_of_a_blob)
{
    for (const char* name : {"p/a", "p/b", "p/c"}) arrive(repository(name), "hello");
    const auto all = run(store().blobs().holders(digest_of("hello"), 10));
    ASSERT_EQ(all->size(), 3U);
    EXPECT_EQ(run(store().blobs().holders(digest_of("hello"), 2))->size(), 2U);
    EXPECT_TRUE(run(store().blobs().holders(digest_of("nothing"), 2))->empty());
}

TEST_P(MetadataStoreContract, keeps_a_blob_while_a_manifest_of_the_repository_needs_it)
{
    const Image image{.blobs = {"config", "layer"}};
    push(repository("p/a"), image);
    arrive(repository("p/b"), "layer");
    EXPECT_FAILS(Errc::blob_in_use, run(store().blobs().remove(repository("p/a"), digest_of("layer"), someone)));
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/b"), digest_of("layer"), someone)));
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), Reference{digest_of(image.bytes())}, someone)));
    EXPECT_SUCCEEDS(run(store().blobs().remove(repository("p/a"), digest_of("layer"), someone)));
    EXPECT_FALSE(store().blobs().peek(repository("p/a"), digest_of("layer")));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/a"), digest_of("layer"))));
}

TEST_P(MetadataStoreContract, peeks_what_it_loaded_until_it_changes)
{
    if (!host().peeks()) {
        push(repository("p/a"), {.blobs = {"c"}}, {"v"});
        EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/a"), reference("v"))));
        EXPECT_FALSE(store().manifests().peek(repository("p/a"), reference("v"))) << "another instance may move it";
        return;
    }
    const Image image{.blobs = {"c"}};
    const Reference by_digest{digest_of(image.bytes())};
    push(repository("p/a"), image, {"v"});
    EXPECT_FALSE(store().manifests().peek(repository("p/a"), reference("w")));
    EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/a"), reference("v"))));
    EXPECT_SUCCEEDS(run(store().manifests().load(repository("p/a"), by_digest)));
    EXPECT_SUCCEEDS(run(store().manifests().tags(repository("p/a"), {5, ""})));
    EXPECT_SUCCEEDS(run(store().blobs().load(repository("p/a"), digest_of("c"))));
    EXPECT_TRUE(store().manifests().peek(repository("p/a"), reference("v")));
    EXPECT_TRUE(store().manifests().peek_tags(repository("p/a"), {5, ""}));
    EXPECT_FALSE(store().manifests().peek_tags(repository("p/a"), {6, ""}));
    EXPECT_EQ(store().blobs().peek(repository("p/a"), digest_of("c")), 1U);

    push(repository("p/a"), {.blobs = {"c"}, .annotation = "2"}, {"v"});
    EXPECT_FALSE(store().manifests().peek(repository("p/a"), reference("v"))) << "the tag moved";
    EXPECT_FALSE(store().manifests().peek_tags(repository("p/a"), {5, ""}));
    EXPECT_TRUE(store().manifests().peek(repository("p/a"), by_digest)) << "a push cools no digest";
    EXPECT_SUCCEEDS(run(store().manifests().remove(repository("p/a"), by_digest, someone)));
    EXPECT_FALSE(store().manifests().peek(repository("p/a"), by_digest));
}

}  // namespace entrepot::contract
