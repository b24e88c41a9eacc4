#pragma once

#include "ports/blob_inventory.hpp"
#include "tests/contract/blob_store_calls.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

// What every blob store says of itself (ports/blob_inventory.hpp). A driver's test instantiates the suite with a type
// that is default-constructible, whose blobs() is an empty store with all its ports, and whose rot(digest, bytes) puts
// other bytes in a blob's place behind the store's back.
namespace entrepot::blob_store_contract {

template <class Harness>
class BlobInventoryContract : public testing::Test {
protected:
    auto& blobs() { return harness_.blobs(); }
    BlobInventory& inventory() { return blobs().inventory(); }

    Digest put(const std::string& bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256)
    {
        auto digest = digest_of(bytes, algorithm);
        EXPECT_TRUE(run(blobs().put(digest, bytes)));
        return digest;
    }

    // All that is stored, page by page.
    std::vector<ListedBlob> listed(std::size_t limit)
    {
        std::vector<ListedBlob> all;
        for (std::string after;;) {
            auto page = run(inventory().list(after, limit));
            EXPECT_TRUE(page);
            if (!page) return all;
            EXPECT_LE(page->size(), limit);
            for (auto& blob : *page) all.push_back(std::move(blob));
            if (page->size() < limit) return all;
            after = all.back().digest.text();
        }
    }

    std::unique_ptr<BlobCheck> checked(const Digest& digest, std::uint64_t step = 1 << 20)
    {
        auto check = run(inventory().check(digest));
        EXPECT_TRUE(check);
        if (!check) return nullptr;
        for (std::uint64_t count = 1; count > 0;) {
            const auto read = run((*check)->read(step));
            EXPECT_TRUE(read);
            count = read ? *read : 0;
            EXPECT_LE(count, step);
        }
        return *std::move(check);
    }

    std::unique_ptr<BlobUpload> begin(char id)
    {
        auto upload = run(blobs().resume(upload_id(id), DigestAlgorithm::sha256, 0, ""));
        EXPECT_TRUE(upload);
        return upload ? *std::move(upload) : nullptr;
    }

    Errc check_failure(const Digest& digest)
    {
        const auto check = run(inventory().check(digest));
        EXPECT_FALSE(check);
        return check ? Errc::internal : check.error().code();
    }

    Harness harness_;
};

TYPED_TEST_SUITE_P(BlobInventoryContract);

TYPED_TEST_P(BlobInventoryContract, every_blob_is_listed_once_in_the_order_of_digests)
{
    std::set<std::string> expected;
    std::map<std::string, std::uint64_t> sizes;
    for (unsigned seed = 1; seed <= 40; ++seed) {
        const auto bytes = content_of(100 + seed * (seed % 7 == 0 ? 10'000 : 1), seed);
        const auto algorithm = seed % 3 == 0 ? DigestAlgorithm::sha512 : DigestAlgorithm::sha256;
        const auto digest = this->put(bytes, algorithm);
        expected.insert(digest.text());
        sizes[digest.text()] = bytes.size();
    }
    for (const std::size_t limit : {1U, 7U, 40U, 1000U}) {
        std::vector<std::string> seen;
        for (const auto& blob : this->listed(limit)) {
            seen.push_back(blob.digest.text());
            EXPECT_EQ(blob.size, sizes[blob.digest.text()]);
        }
        EXPECT_EQ(seen, std::vector<std::string>(expected.begin(), expected.end())) << limit;
    }
}

TYPED_TEST_P(BlobInventoryContract, an_empty_store_lists_nothing)
{
    EXPECT_TRUE(this->listed(10).empty());
    const auto uploads = run(this->inventory().list_uploads("", 10));
    ASSERT_TRUE(uploads);
    EXPECT_TRUE(uploads->empty());
    EXPECT_EQ(this->check_failure(digest_of("nothing")), Errc::blob_unknown);
}

TYPED_TEST_P(BlobInventoryContract, a_sound_blob_has_its_digest_however_it_is_read)
{
    for (const auto algorithm : {DigestAlgorithm::sha256, DigestAlgorithm::sha512}) {
        const auto bytes = content_of(2'500'000);
        const auto digest = this->put(bytes, algorithm);
        for (const std::uint64_t step : {1000U * 1000U, 4U << 20U}) {
            const auto check = this->checked(digest, step);
            ASSERT_TRUE(check);
            EXPECT_EQ(check->actual(), digest);
            EXPECT_EQ(check->size(), bytes.size());
        }
    }
}

TYPED_TEST_P(BlobInventoryContract, what_rotted_shows_also_behind_caches_and_is_served_no_more_once_it_is_moved_aside)
{
    for (const std::size_t size : {100U, 300'000U}) {
        auto bytes = content_of(size);
        const auto digest = this->put(bytes);
        ASSERT_TRUE(run(this->blobs().load(digest)));
        bytes[size / 2] = static_cast<char>(bytes[size / 2] ^ 1);
        this->harness_.rot(digest, bytes);
        const auto check = this->checked(digest);
        ASSERT_TRUE(check);
        EXPECT_EQ(check->actual(), digest_of(bytes));
        EXPECT_EQ(check->size(), size);
        const auto moved = run(check->quarantine());
        ASSERT_TRUE(moved) << moved.error().detail();
        EXPECT_TRUE(*moved);
        EXPECT_FALSE(this->blobs().peek(digest));
        const auto content = run(this->blobs().load(digest));
        ASSERT_FALSE(content);
        EXPECT_EQ(content.error().code(), Errc::blob_unknown);
        EXPECT_EQ(this->check_failure(digest), Errc::blob_unknown);
        EXPECT_TRUE(this->listed(10).empty());
    }
}

TYPED_TEST_P(BlobInventoryContract, good_bytes_take_the_place_of_rotten_ones)
{
    for (const std::size_t size : {100U, 300'000U}) {
        const auto good = content_of(size);
        const auto digest = this->put(good);
        this->harness_.rot(digest, content_of(size, 9));
        const auto check = this->checked(digest);
        ASSERT_TRUE(check);
        EXPECT_TRUE(run(check->quarantine()).value());
        EXPECT_FALSE(run(check->quarantine()).value()) << "it has gone already";
        const auto upload = this->begin('a');
        ASSERT_TRUE(upload);
        EXPECT_TRUE(append(*upload, good));
        ASSERT_TRUE(run(upload->commit(digest)));
        const auto content = run(this->blobs().load(digest));
        ASSERT_TRUE(content);
        EXPECT_EQ(bytes_of(*content), good);
        EXPECT_EQ(this->checked(digest)->actual(), digest);
    }
}

TYPED_TEST_P(BlobInventoryContract, bytes_that_were_pushed_since_they_were_looked_at_stay)
{
    for (const std::size_t size : {100U, 300'000U}) {
        const auto good = content_of(size);
        const auto digest = this->put(good);
        this->harness_.rot(digest, content_of(size, 9));
        const auto check = this->checked(digest);
        ASSERT_TRUE(check);
        EXPECT_NE(check->actual(), digest);
        ASSERT_TRUE(run(this->blobs().put(digest, good)));
        EXPECT_FALSE(run(check->quarantine()).value());
        EXPECT_EQ(this->checked(digest)->actual(), digest);
        const auto content = run(this->blobs().load(digest));
        ASSERT_TRUE(content);
        EXPECT_EQ(bytes_of(*content), good);
    }
}

TYPED_TEST_P(BlobInventoryContract, a_removed_blob_is_listed_no_more_and_can_not_be_moved_aside)
{
    const auto digest = this->put("short-lived");
    const auto check = this->checked(digest);
    const auto remover = run(this->blobs().begin_removal());
    ASSERT_TRUE(remover);
    ASSERT_TRUE(run((*remover)->remove({digest})));
    EXPECT_FALSE(run(check->quarantine()).value());
    EXPECT_TRUE(this->listed(10).empty());
}

TYPED_TEST_P(BlobInventoryContract, bytes_of_uploads_are_listed_until_they_are_a_blob)
{
    const auto bytes = content_of(200'000);
    auto upload = this->begin('b');
    ASSERT_TRUE(upload);
    EXPECT_TRUE(append(*upload, bytes));
    ASSERT_TRUE(run(upload->settle()));
    auto other = this->begin('a');
    EXPECT_TRUE(append(*other, "other"));
    ASSERT_TRUE(run(other->settle()));
    const auto first = run(this->inventory().list_uploads("", 1));
    ASSERT_TRUE(first);
    ASSERT_EQ(first->size(), 1U);
    EXPECT_EQ(first->front().id, upload_id('a'));
    EXPECT_EQ(first->front().size, 5U);
    const auto second = run(this->inventory().list_uploads(first->front().id.text, 10));
    ASSERT_TRUE(second);
    ASSERT_EQ(second->size(), 1U);
    EXPECT_EQ(second->front().id, upload_id('b'));
    EXPECT_EQ(second->front().size, bytes.size());
    EXPECT_TRUE(this->listed(10).empty());
    ASSERT_TRUE(run(upload->commit(digest_of(bytes))));
    EXPECT_EQ(run(this->inventory().list_uploads("", 10)).value().size(), 1U);
    EXPECT_EQ(this->listed(10).size(), 1U);
}

TYPED_TEST_P(BlobInventoryContract, a_stray_upload_goes_and_one_that_somebody_writes_to_stays)
{
    auto upload = this->begin('c');
    ASSERT_TRUE(upload);
    EXPECT_TRUE(append(*upload, "some"));
    ASSERT_TRUE(run(upload->settle()));
    const auto seen = run(this->inventory().list_uploads("", 10)).value().at(0);
    EXPECT_FALSE(run(this->inventory().discard_stray(seen)).value()) << "its writer is here";
    EXPECT_TRUE(append(*upload, " more")) << "and was not disturbed";
    EXPECT_EQ(run(upload->settle()).value().offset, 9U);
    upload.reset();
    auto now = run(this->inventory().list_uploads("", 10)).value().at(0);
    auto older = now;
    older.written_at -= 1;
    EXPECT_FALSE(run(this->inventory().discard_stray(older)).value()) << "somebody has written since";
    EXPECT_TRUE(run(this->inventory().discard_stray(now)).value());
    EXPECT_FALSE(run(this->inventory().discard_stray(now)).value());
    EXPECT_TRUE(run(this->inventory().list_uploads("", 10)).value().empty());
}

REGISTER_TYPED_TEST_SUITE_P(
    BlobInventoryContract,
    every_blob_is_listed_once_in_the_order_of_digests,
    an_empty_store_lists_nothing,
    a_sound_blob_has_its_digest_however_it_is_read,
    what_rotted_shows_also_behind_caches_and_is_served_no_more_once_it_is_moved_aside,
    good_bytes_take_the_place_of_rotten_ones,
    bytes_that_were_pushed_since_they_were_looked_at_stay,
    a_removed_blob_is_listed_no_more_and_can_not_be_moved_aside,
    bytes_of_uploads_are_listed_until_they_are_a_blob,
    a_stray_upload_goes_and_one_that_somebody_writes_to_stays
);

}  // namespace entrepot::blob_store_contract
