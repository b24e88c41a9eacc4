#pragma once

#include "tests/contract/metadata_store_contract.hpp"

namespace entrepot::contract {

TEST_P(MetadataStoreContract, an_upload_session_is_found_as_it_was_begun)
{
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1), 5)));
    host().reopen();
    const auto found = run(store().uploads().find(repository("p/a"), upload_id(1)));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, upload_id(1));
    EXPECT_EQ(found->repository, repository("p/a"));
    EXPECT_EQ(found->algorithm, DigestAlgorithm::sha512);
    EXPECT_EQ(found->hash_state, (std::string{"\0state\xff", 7}));
    EXPECT_EQ(found->fence, 1);
    EXPECT_EQ(found->user_id, 3);
    EXPECT_EQ(found->started_at, 101);
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().find(repository("p/b"), upload_id(1))));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().find(repository("p/a"), upload_id(2))));
    EXPECT_FAILS(Errc::name_unknown, run(store().uploads().begin(upload(3, "q/a"), 5)));
}

TEST_P(MetadataStoreContract, a_user_may_have_only_so_many_uploads)
{
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1), 2)));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(2), 2)));
    EXPECT_FAILS(Errc::too_many_requests, run(store().uploads().begin(upload(3), 2)));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(4, "p/a", 8), 2)));
    EXPECT_SUCCEEDS(run(store().uploads().cancel(repository("p/a"), upload_id(1))));
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(3), 2)));
}

TEST_P(MetadataStoreContract, taking_an_upload_over_fences_the_earlier_holder_off)
{
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1), 5)));
    const auto first = run(store().uploads().take(repository("p/a"), upload_id(1), 0, std::nullopt, 500));
    ASSERT_TRUE(first);
    EXPECT_EQ(first->touched_at, 500);
    EXPECT_SUCCEEDS(run(store().uploads().advance(upload_id(1), first->fence, 10, "ten", 501)));
    const auto second = run(store().uploads().take(repository("p/a"), upload_id(1), 0, std::nullopt, 502));
    ASSERT_TRUE(second);
    EXPECT_GT(second->fence, first->fence);
    EXPECT_EQ(second->offset, 10U);
    EXPECT_EQ(second->hash_state, "ten");
    EXPECT_FAILS(Errc::conflict, run(store().uploads().advance(upload_id(1), first->fence, 20, "", 503)));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().advance(upload_id(2), 1, 20, "", 503)));
    EXPECT_FAILS(
        Errc::upload_unknown, run(store().uploads().take(repository("p/b"), upload_id(1), 0, std::nullopt, 503))
    );
    EXPECT_EQ(run(store().uploads().find(repository("p/a"), upload_id(1)))->fence, second->fence);
}

TEST_P(MetadataStoreContract, a_blob_ends_the_session_it_arrived_by_and_no_fenced_one)
{
    EXPECT_SUCCEEDS(run(store().uploads().begin(upload(1), 5)));
    auto arriving = arrival(repository("p/a"), "hello");
    arriving.upload = upload_id(1);
    arriving.fence = 0;
    EXPECT_FAILS(Errc::upload_unknown, run(store().blobs().arrive(arriving)));
    EXPECT_FAILS(Errc::blob_unknown, run(store().blobs().load(repository("p/a"), digest_of("hello"))));
    arriving.fence = 1;
    auto elsewhere = arriving;
    elsewhere.repository = repository("p/b");
    EXPECT_FAILS(Errc::upload_unknown, run(store().blobs().arrive(elsewhere)));
    EXPECT_SUCCEEDS(run(store().blobs().arrive(arriving)));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().find(repository("p/a"), upload_id(1))));
    EXPECT_FAILS(Errc::upload_unknown, run(store().blobs().arrive(arriving)));
    EXPECT_EQ(run(store().blobs().load(repository("p/a"), digest_of("hello"))).value(), 5U);
}

TEST_P(MetadataStoreContract, cancels_and_finds_untouched_uploads)
{
    for (unsigned i = 1; i <= 4; ++i) EXPECT_SUCCEEDS(run(store().uploads().begin(upload(i), 9)));
    EXPECT_SUCCEEDS(run(store().uploads().cancel(repository("p/a"), upload_id(2))));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().cancel(repository("p/a"), upload_id(2))));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().cancel(repository("p/b"), upload_id(1))));
    const auto old = run(store().uploads().untouched_since(104, 10));
    ASSERT_EQ(old->size(), 2U);
    EXPECT_EQ(old->front().id, upload_id(1));
    EXPECT_EQ(run(store().uploads().untouched_since(1000, 1))->size(), 1U);
    EXPECT_SUCCEEDS(run(store().uploads().forget(upload_id(1))));
    EXPECT_SUCCEEDS(run(store().uploads().forget(upload_id(1))));
    EXPECT_FAILS(Errc::upload_unknown, run(store().uploads().find(repository("p/a"), upload_id(1))));
}

}  // namespace entrepot::contract
