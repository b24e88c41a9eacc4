#pragma once

#include "tests/contract/blob_store_calls.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// What every blob store promises (ports/blob_store.hpp). A driver's test instantiates the suite with a type that is
// default-constructible and whose blobs() is an empty store with all its ports.
namespace entrepot::blob_store_contract {

template <class Harness>
class BlobStoreContract : public testing::Test {
protected:
    auto& blobs() { return harness_.blobs(); }

    std::unique_ptr<BlobUpload> begin(char id, DigestAlgorithm algorithm = DigestAlgorithm::sha256)
    {
        auto upload = run(blobs().resume(upload_id(id), algorithm, 0, ""));
        EXPECT_TRUE(upload);
        return upload ? *std::move(upload) : nullptr;
    }

    Errc resume_failure(char id, std::uint64_t offset, std::string state)
    {
        const auto upload = run(blobs().resume(upload_id(id), DigestAlgorithm::sha256, offset, std::move(state)));
        EXPECT_FALSE(upload);
        return upload ? Errc::internal : upload.error().code();
    }

    void expect_unknown(const Digest& digest)
    {
        EXPECT_FALSE(blobs().peek(digest));
        const auto content = run(blobs().load(digest));
        ASSERT_FALSE(content);
        EXPECT_EQ(content.error().code(), Errc::blob_unknown);
    }

    void expect_stored(const Digest& digest, const std::string& bytes)
    {
        const auto content = run(blobs().load(digest));
        ASSERT_TRUE(content) << content.error().detail();
        EXPECT_EQ(content->size, bytes.size());
        EXPECT_EQ(bytes_of(*content), bytes);
        const auto peeked = blobs().peek(digest);
        ASSERT_TRUE(peeked);
        EXPECT_EQ(bytes_of(*peeked), bytes);
    }

    Harness harness_;
};

TYPED_TEST_SUITE_P(BlobStoreContract);

TYPED_TEST_P(BlobStoreContract, unknown_digest_is_blob_unknown)
{
    this->expect_unknown(digest_of("nobody pushed this"));
}

TYPED_TEST_P(BlobStoreContract, confirm_tells_the_size_of_a_stored_blob_only)
{
    const auto bytes = content_of(300000);
    const auto unknown = run(this->blobs().confirm(digest_of(bytes)));
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), Errc::blob_unknown);
    ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
    const auto size = run(this->blobs().confirm(digest_of(bytes)));
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, bytes.size());
}

TYPED_TEST_P(BlobStoreContract, what_was_put_is_read_back)
{
    for (const auto size : std::initializer_list<std::size_t>{0, 1, 4096, 65536, 65537, 300000}) {
        const auto bytes = content_of(size);
        ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes))) << size;
        this->expect_stored(digest_of(bytes), bytes);
    }
}

TYPED_TEST_P(BlobStoreContract, putting_twice_is_success)
{
    const auto bytes = content_of(100);
    ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
    ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, sixty_four_puts_of_one_digest_at_once_all_succeed)
{
    const auto bytes = content_of(4096);
    std::vector<Task<>> tasks;
    for (int count = 0; count < 64; ++count) tasks.push_back(this->blobs().put(digest_of(bytes), bytes));
    for (const auto& result : run_all(std::move(tasks))) EXPECT_TRUE(result);
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, many_different_puts_at_once_are_all_stored)
{
    std::vector<Task<>> tasks;
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto bytes = content_of(seed * 50, seed);
        tasks.push_back(this->blobs().put(digest_of(bytes), bytes));
    }
    for (const auto& result : run_all(std::move(tasks))) EXPECT_TRUE(result);
    for (unsigned seed = 0; seed < 200; ++seed) {
        const auto bytes = content_of(seed * 50, seed);
        this->expect_stored(digest_of(bytes), bytes);
    }
}

TYPED_TEST_P(BlobStoreContract, committed_upload_is_the_blob)
{
    for (const auto size : std::initializer_list<std::size_t>{0, 5, 65536, 65537, 3000000}) {
        const auto bytes = content_of(size);
        auto upload = this->begin('a');
        ASSERT_TRUE(append(*upload, bytes));
        const auto committed = run(upload->commit(digest_of(bytes)));
        ASSERT_TRUE(committed) << committed.error().detail();
        EXPECT_EQ(*committed, size);
        this->expect_stored(digest_of(bytes), bytes);
    }
}

TYPED_TEST_P(BlobStoreContract, sha512_is_stored_beside_sha256)
{
    const auto bytes = content_of(100000);
    const auto digest = digest_of(bytes, DigestAlgorithm::sha512);
    auto upload = this->begin('a', DigestAlgorithm::sha512);
    ASSERT_TRUE(append(*upload, bytes));
    ASSERT_TRUE(run(upload->commit(digest)));
    this->expect_stored(digest, bytes);
    this->expect_unknown(digest_of(bytes));

    const auto small = content_of(10);
    ASSERT_TRUE(run(this->blobs().put(digest_of(small, DigestAlgorithm::sha512), small)));
    this->expect_stored(digest_of(small, DigestAlgorithm::sha512), small);
    this->expect_unknown(digest_of(small));
}

TYPED_TEST_P(BlobStoreContract, uncommitted_upload_is_invisible)
{
    const auto bytes = content_of(1000);
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, bytes));
    ASSERT_TRUE(run(upload->settle()));
    this->expect_unknown(digest_of(bytes));
    upload.reset();
    this->expect_unknown(digest_of(bytes));
}

TYPED_TEST_P(BlobStoreContract, upload_goes_on_where_another_request_left_it)
{
    const auto bytes = content_of(700001);
    BlobUpload::Progress progress;
    for (const auto end : std::initializer_list<std::size_t>{1, 64, 300000, 700001}) {
        auto upload =
            run(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, progress.offset, progress.hash_state));
        ASSERT_TRUE(upload) << upload.error().detail();
        ASSERT_TRUE(append(**upload, std::string_view{bytes}.substr(progress.offset, end - progress.offset)));
        const auto settled = run((*upload)->settle());
        ASSERT_TRUE(settled);
        EXPECT_EQ(settled->offset, end);
        progress = *settled;
    }
    auto upload =
        run(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, progress.offset, progress.hash_state));
    ASSERT_TRUE(upload);
    ASSERT_TRUE(run((*upload)->commit(digest_of(bytes))));
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, bytes_beyond_the_resumed_offset_are_cut_off)
{
    const auto bytes = content_of(1000);
    auto first = this->begin('a');
    ASSERT_TRUE(append(*first, bytes.substr(0, 400)));
    const auto progress = run(first->settle());
    ASSERT_TRUE(progress);
    ASSERT_TRUE(append(*first, "bytes that no session ever reported"));
    ASSERT_TRUE(run(first->settle()));
    first.reset();

    auto second =
        run(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, progress->offset, progress->hash_state));
    ASSERT_TRUE(second);
    ASSERT_TRUE(append(**second, bytes.substr(400)));
    const auto size = run((*second)->commit(digest_of(bytes)));
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, bytes.size());
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, resuming_beyond_the_stored_bytes_is_upload_unknown)
{
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, content_of(10)));
    ASSERT_TRUE(run(upload->settle()));
    upload.reset();
    Hasher further{DigestAlgorithm::sha256};
    further.update(as_bytes(content_of(11)));
    EXPECT_EQ(this->resume_failure('a', 11, further.state()), Errc::upload_unknown);
    EXPECT_EQ(this->resume_failure('b', 11, further.state()), Errc::upload_unknown);
}

TYPED_TEST_P(BlobStoreContract, resuming_with_a_broken_hash_state_is_corrupt)
{
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, content_of(10)));
    ASSERT_TRUE(run(upload->settle()));
    EXPECT_EQ(this->resume_failure('a', 10, "no state"), Errc::corrupt);
    EXPECT_EQ(this->resume_failure('a', 10, Hasher{DigestAlgorithm::sha512}.state()), Errc::corrupt);
}

TYPED_TEST_P(BlobStoreContract, commit_with_a_wrong_digest_leaves_nothing)
{
    for (const auto size : std::initializer_list<std::size_t>{0, 1000, 100000}) {
        const auto bytes = content_of(size);
        const auto wrong = digest_of("something else");
        auto upload = this->begin('a');
        ASSERT_TRUE(append(*upload, bytes));
        const auto progress = run(upload->settle());
        ASSERT_TRUE(progress);
        const auto committed = run(upload->commit(wrong));
        ASSERT_FALSE(committed);
        EXPECT_EQ(committed.error().code(), Errc::digest_mismatch);
        this->expect_unknown(wrong);
        this->expect_unknown(digest_of(bytes));
        if (size > 0)
            EXPECT_EQ(this->resume_failure('a', progress->offset, progress->hash_state), Errc::upload_unknown);
    }
}

TYPED_TEST_P(BlobStoreContract, commit_under_the_other_algorithm_is_a_mismatch)
{
    const auto bytes = content_of(100);
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, bytes));
    const auto committed = run(upload->commit(digest_of(bytes, DigestAlgorithm::sha512)));
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code(), Errc::digest_mismatch);
}

TYPED_TEST_P(BlobStoreContract, upload_of_a_stored_digest_succeeds)
{
    const auto bytes = content_of(200000);
    for (const char id : {'a', 'b', 'a'}) {
        auto upload = this->begin(id);
        ASSERT_TRUE(append(*upload, bytes));
        const auto size = run(upload->commit(digest_of(bytes)));
        ASSERT_TRUE(size);
        EXPECT_EQ(*size, bytes.size());
    }
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, committed_upload_takes_no_more_calls)
{
    const auto bytes = content_of(70000);
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, bytes));
    ASSERT_TRUE(run(upload->commit(digest_of(bytes))));
    const auto again = run(upload->commit(digest_of(bytes)));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code(), Errc::upload_unknown);
    EXPECT_FALSE(append(*upload, "more"));
    EXPECT_FALSE(run(upload->settle()));
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, second_writer_wins_and_the_first_is_cancelled)
{
    const auto bytes = content_of(500000);
    auto first = this->begin('a');
    ASSERT_TRUE(append(*first, bytes.substr(0, 300000)));
    const auto progress = run(first->settle());
    ASSERT_TRUE(progress);

    auto second =
        run(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, progress->offset, progress->hash_state));
    ASSERT_TRUE(second) << second.error().detail();
    const auto appended = append(*first, "too late");
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().code(), Errc::cancelled);
    const auto settled = run(first->settle());
    ASSERT_FALSE(settled);
    EXPECT_EQ(settled.error().code(), Errc::cancelled);
    const auto committed = run(first->commit(digest_of(bytes.substr(0, 300000))));
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code(), Errc::cancelled);
    first.reset();

    ASSERT_TRUE(append(**second, bytes.substr(300000)));
    ASSERT_TRUE(run((*second)->commit(digest_of(bytes))));
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, writer_is_replaced_while_its_chunks_are_under_way)
{
    const auto bytes = content_of(2000000);
    for (int round = 0; round < 20; ++round) {
        auto first = this->begin('a');
        ASSERT_TRUE(append(*first, bytes));
        auto second = this->begin('a');
        ASSERT_TRUE(second);
        if (round % 2 == 0) first.reset();
        ASSERT_TRUE(append(*second, bytes.substr(0, 1000)));
        ASSERT_TRUE(run(second->commit(digest_of(bytes.substr(0, 1000)))));
    }
    this->expect_stored(digest_of(bytes.substr(0, 1000)), bytes.substr(0, 1000));
}

TYPED_TEST_P(BlobStoreContract, of_many_writers_at_once_at_most_one_stays)
{
    std::vector<Task<std::unique_ptr<BlobUpload>>> tasks;
    for (int count = 0; count < 12; ++count) {
        tasks.push_back(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, 0, ""));
    }
    int usable = 0;
    for (auto& upload : run_all(std::move(tasks))) {
        if (!upload) {
            EXPECT_EQ(upload.error().code(), Errc::cancelled);
            continue;
        }
        const auto settled = run((*upload)->settle());
        if (settled)
            ++usable;
        else
            EXPECT_EQ(settled.error().code(), Errc::cancelled);
    }
    EXPECT_EQ(usable, 1);
}

TYPED_TEST_P(BlobStoreContract, dropped_upload_keeps_what_it_settled)
{
    const auto bytes = content_of(1000000);
    auto first = this->begin('a');
    ASSERT_TRUE(append(*first, bytes.substr(0, 600000)));
    const auto progress = run(first->settle());
    ASSERT_TRUE(progress);
    ASSERT_TRUE(append(*first, bytes.substr(600000)));
    first.reset();
    auto second =
        run(this->blobs().resume(upload_id('a'), DigestAlgorithm::sha256, progress->offset, progress->hash_state));
    ASSERT_TRUE(second) << second.error().detail();
    ASSERT_TRUE(append(**second, bytes.substr(600000)));
    ASSERT_TRUE(run((*second)->commit(digest_of(bytes))));
    this->expect_stored(digest_of(bytes), bytes);
}

TYPED_TEST_P(BlobStoreContract, discarded_upload_is_gone)
{
    auto upload = this->begin('a');
    ASSERT_TRUE(append(*upload, content_of(10)));
    const auto progress = run(upload->settle());
    ASSERT_TRUE(progress);
    ASSERT_TRUE(run(this->blobs().discard(upload_id('a'))));
    EXPECT_FALSE(append(*upload, "more"));
    EXPECT_FALSE(run(upload->settle()));
    upload.reset();
    EXPECT_EQ(this->resume_failure('a', progress->offset, progress->hash_state), Errc::upload_unknown);
}

TYPED_TEST_P(BlobStoreContract, discarding_what_is_not_there_is_success)
{
    EXPECT_TRUE(run(this->blobs().discard(upload_id('a'))));
    this->begin('a').reset();
    EXPECT_TRUE(run(this->blobs().discard(upload_id('a'))));
    EXPECT_TRUE(run(this->blobs().discard(upload_id('a'))));
}

TYPED_TEST_P(BlobStoreContract, content_outlives_the_look_up)
{
    const auto bytes = content_of(100000);
    ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
    const auto content = run(this->blobs().load(digest_of(bytes)));
    ASSERT_TRUE(content);
    for (unsigned seed = 2; seed < 60; ++seed) {
        const auto other = content_of(70000, seed);
        ASSERT_TRUE(run(this->blobs().put(digest_of(other), other)));
        ASSERT_TRUE(run(this->blobs().load(digest_of(other))));
    }
    EXPECT_EQ(bytes_of(*content), bytes);
}

TYPED_TEST_P(BlobStoreContract, working_store_answers_its_probe)
{
    EXPECT_TRUE(run(this->blobs().probe()));
}

TYPED_TEST_P(BlobStoreContract, removed_blobs_are_gone_and_their_bytes_are_counted)
{
    const auto small = content_of(100, 1);
    const auto large = content_of(300000, 2);
    const auto kept = content_of(100, 3);
    for (const auto& bytes : {small, large, kept}) {
        ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
        this->expect_stored(digest_of(bytes), bytes);
    }
    const auto remover = run(this->blobs().begin_removal());
    ASSERT_TRUE(remover);
    const auto removed = run((*remover)->remove({digest_of(small), digest_of(large), digest_of("never there")}));
    ASSERT_TRUE(removed);
    EXPECT_EQ(removed->blobs, 2U);
    EXPECT_EQ(removed->bytes, small.size() + large.size());
    for (const auto& bytes : {small, large}) {
        this->expect_unknown(digest_of(bytes));
        EXPECT_FALSE(run(this->blobs().confirm(digest_of(bytes))));
    }
    this->expect_stored(digest_of(kept), kept);
    ASSERT_TRUE(run(this->blobs().put(digest_of(large), large)));
    this->expect_stored(digest_of(large), large);
}

TYPED_TEST_P(BlobStoreContract, one_at_a_time_removes)
{
    auto first = run(this->blobs().begin_removal());
    ASSERT_TRUE(first);
    const auto second = run(this->blobs().begin_removal());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
    first->reset();
    EXPECT_TRUE(run(this->blobs().begin_removal()));
}

TYPED_TEST_P(BlobStoreContract, what_is_read_while_it_is_removed_stays_whole)
{
    const auto bytes = content_of(300000);
    ASSERT_TRUE(run(this->blobs().put(digest_of(bytes), bytes)));
    const auto content = run(this->blobs().load(digest_of(bytes)));
    ASSERT_TRUE(content);
    const auto remover = run(this->blobs().begin_removal());
    ASSERT_TRUE(run((*remover)->remove({digest_of(bytes)})));
    EXPECT_EQ(bytes_of(*content), bytes);
}

inline std::string read_part(const UploadPart& part, std::uint64_t offset, std::size_t length)
{
    if (part.bytes) return *part.bytes;
    std::string bytes(length, '\0');
    const auto count = ::pread(part.file->descriptor(), bytes.data(), length, static_cast<off_t>(offset));
    bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
    return bytes;
}

TYPED_TEST_P(BlobStoreContract, what_is_written_can_be_read_while_more_comes)
{
    const auto bytes = content_of(600000);
    auto upload = this->begin('a');
    const auto view = run(this->blobs().view(upload_id('a')));
    ASSERT_TRUE(view);
    EXPECT_EQ((*view)->written(), 0U);
    ASSERT_TRUE(append(*upload, bytes.substr(0, 400000)));
    ASSERT_TRUE(run(upload->settle()));
    EXPECT_EQ((*view)->written(), 400000U);
    const auto part = (*view)->part(100000, 300000);
    ASSERT_TRUE(part);
    EXPECT_EQ(read_part(*part, 100000, 300000), bytes.substr(100000, 300000));
    EXPECT_EQ((*view)->part(100000, 300001).error().code(), Errc::range_invalid);
    EXPECT_EQ((*view)->part(400001, 0).error().code(), Errc::range_invalid);

    ASSERT_TRUE(append(*upload, bytes.substr(400000)));
    ASSERT_TRUE(run(upload->commit(digest_of(bytes))));
    EXPECT_EQ((*view)->written(), bytes.size());
    const auto all = (*view)->part(0, bytes.size());
    ASSERT_TRUE(all);
    EXPECT_EQ(read_part(*all, 0, bytes.size()), bytes) << "also when it has become a blob";
    EXPECT_EQ(run(this->blobs().view(upload_id('a'))).error().code(), Errc::upload_unknown);
}

TYPED_TEST_P(BlobStoreContract, views_outlive_what_they_show)
{
    for (const std::size_t size : {std::size_t{1000}, std::size_t{300000}}) {
        const auto bytes = content_of(size);
        auto upload = this->begin('a');
        const auto view = run(this->blobs().view(upload_id('a'))).value();
        ASSERT_TRUE(append(*upload, bytes));
        ASSERT_FALSE(run(upload->commit(digest_of("another"))));
        const auto part = view->part(0, size);
        ASSERT_TRUE(part);
        EXPECT_EQ(read_part(*part, 0, size), bytes);
    }
    auto upload = this->begin('b');
    ASSERT_TRUE(append(*upload, "dropped"));
    ASSERT_TRUE(run(upload->settle()));
    const auto view = run(this->blobs().view(upload_id('b'))).value();
    upload.reset();
    ASSERT_TRUE(run(this->blobs().discard(upload_id('b'))));
    EXPECT_EQ(read_part(view->part(0, 7).value(), 0, 7), "dropped");
    EXPECT_EQ(run(this->blobs().view(upload_id('c'))).error().code(), Errc::upload_unknown);
    EXPECT_EQ(run(this->blobs().view(UploadId{"../blobs"})).error().code(), Errc::upload_unknown);
}

REGISTER_TYPED_TEST_SUITE_P(
    BlobStoreContract,
    what_is_written_can_be_read_while_more_comes,
    views_outlive_what_they_show,
    removed_blobs_are_gone_and_their_bytes_are_counted,
    one_at_a_time_removes,
    what_is_read_while_it_is_removed_stays_whole,
    unknown_digest_is_blob_unknown,
    confirm_tells_the_size_of_a_stored_blob_only,
    what_was_put_is_read_back,
    putting_twice_is_success,
    sixty_four_puts_of_one_digest_at_once_all_succeed,
    many_different_puts_at_once_are_all_stored,
    committed_upload_is_the_blob,
    sha512_is_stored_beside_sha256,
    uncommitted_upload_is_invisible,
    upload_goes_on_where_another_request_left_it,
    bytes_beyond_the_resumed_offset_are_cut_off,
    resuming_beyond_the_stored_bytes_is_upload_unknown,
    resuming_with_a_broken_hash_state_is_corrupt,
    commit_with_a_wrong_digest_leaves_nothing,
    commit_under_the_other_algorithm_is_a_mismatch,
    upload_of_a_stored_digest_succeeds,
    committed_upload_takes_no_more_calls,
    second_writer_wins_and_the_first_is_cancelled,
    writer_is_replaced_while_its_chunks_are_under_way,
    of_many_writers_at_once_at_most_one_stays,
    dropped_upload_keeps_what_it_settled,
    discarded_upload_is_gone,
    discarding_what_is_not_there_is_success,
    content_outlives_the_look_up,
    working_store_answers_its_probe
);

}  // namespace entrepot::blob_store_contract
