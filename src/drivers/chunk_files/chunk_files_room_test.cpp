// Budget, eviction, and disks that are full or broken.
#include "core/log.hpp"
#include "drivers/chunk_files/chunk_budget.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace entrepot {
namespace {

using namespace std::chrono_literals;

std::vector<unsigned> left_of(ChunkFilesFixture& on, const std::vector<ChunkedBytes>& all)
{
    std::vector<unsigned> left;
    for (unsigned number = 0; number < all.size(); ++number) {
        for (const auto& entry : on.store->blobs()) {
            if (entry.blob == all[number].blob) left.push_back(number);
        }
    }
    return left;
}

TEST(ChunkBudget, chooses_idle_blobs_that_others_have_and_last_copies_last)
{
    const std::vector<EvictionChoice> choices{
        {.idle = 1000, .other_holders = 0, .bytes = 10, .number = 0},
        {.idle = 10, .other_holders = 1, .bytes = 10, .number = 1},
        {.idle = 30, .other_holders = {}, .bytes = 10, .number = 2},
        {.idle = 15, .other_holders = 200, .bytes = 10, .number = 3},
        {.idle = 2000, .other_holders = 0, .bytes = 10, .number = 4},
        {.idle = -5, .other_holders = 1000, .bytes = 10, .number = 5},
    };
    EXPECT_EQ(choose_evictions(choices, 60), (std::vector<std::size_t>{3, 2, 1, 5, 4, 0}));
    EXPECT_EQ(choose_evictions(choices, 61).size(), 6U);
    EXPECT_EQ(choose_evictions(choices, 11), (std::vector<std::size_t>{3, 2}));
    EXPECT_TRUE(choose_evictions(choices, 0).empty());
}

TEST(ChunkBudget, counts_what_is_taken)
{
    const auto budget = std::make_shared<ChunkBudget>(1000, 900, 500);
    {
        const ChunkRoom room{budget, 600};
        EXPECT_FALSE(budget->try_take(1001));
        EXPECT_TRUE(budget->try_take(600));
        EXPECT_EQ(budget->excess(600), 200U + 400U - 400U);
    }
    budget->give_back(0);
    EXPECT_EQ(budget->taken(), 0U);
}

TEST(ChunkFilesRoom, the_budget_is_never_exceeded)
{
    ChunkFilesFixture on;
    on.options.budget_bytes = 20 * chunk_bytes;
    ASSERT_TRUE(on.open());
    std::mt19937 random{7};
    for (unsigned seed = 0; seed < 60; ++seed) {
        const auto of = chunked(random() % (7 * chunk_bytes), seed);
        on.clock.advance(1s);
        ASSERT_TRUE(on.keep(of)) << seed;
        const auto statistics = on.store->statistics();
        ASSERT_LE(statistics.taken_bytes, on.options.budget_bytes);
        ASSERT_LE(statistics.used_bytes, statistics.taken_bytes);
        ASSERT_LE(on.bytes_on_disk(), statistics.used_bytes + 4096) << "but the version's file";
    }
    EXPECT_GT(on.store->statistics().evictions, 20U);
    const auto too_large = chunked(20 * chunk_bytes);
    EXPECT_EQ(on.store->begin(too_large.blob, too_large.hashes).error().code(), Errc::storage_full);
    EXPECT_GT(on.store->statistics().blobs, 0U) << "nothing goes for a blob that can never come";
    EXPECT_FALSE(on.store->statistics().is_read_only);

    on.options.budget_bytes = 6 * chunk_bytes;
    ASSERT_TRUE(on.open());
    EXPECT_LE(on.store->statistics().taken_bytes, on.options.budget_bytes) << "a smaller budget holds from the start";
    EXPECT_LE(on.bytes_on_disk(), on.options.budget_bytes + 4096);
}

// Room for ten; the eleventh takes it above the high mark.
TEST(ChunkFilesRoom, the_longest_unused_go_down_to_the_low_mark)
{
    ChunkFilesFixture on;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 11; ++seed) all.push_back(chunked(2 * chunk_bytes, seed));
    on.options.budget_bytes = 11 * chunk_room_for(all[0].blob);
    on.options.high_permille = 950;
    on.options.low_permille = 750;
    ASSERT_TRUE(on.open());
    for (unsigned number = 0; number < 10; ++number) {
        on.clock.advance(2min);
        ASSERT_TRUE(on.keep(all[number]));
    }
    on.clock.advance(2min);
    ASSERT_TRUE(on.store->pin(all[0].blob.digest)) << "used again";
    on.store->set_other_holders(all[1].blob.digest, 0);
    on.store->set_other_holders(all[9].blob.digest, 3);
    on.store->set_other_holders(all[3].blob.digest, 1);
    const auto pinned = on.store->pin(all[2].blob.digest);
    ASSERT_TRUE(pinned);
    ASSERT_EQ(on.store->statistics().evictions, 0U);
    on.clock.advance(20min);
    ASSERT_TRUE(on.keep(all[10]));
    // 9 was used last but is with three others: 22 minutes count as 44. 3, 4 and 5 are idle for 36, 34 and 32.
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{0, 1, 2, 5, 6, 7, 8, 10}));
    EXPECT_EQ(on.store->statistics().evictions, 3U);
    EXPECT_EQ(on.store->statistics().evicted_bytes, 3 * chunk_room_for(all[0].blob));
}

TEST(ChunkFilesRoom, the_last_copy_goes_last_and_what_is_pinned_never)
{
    ChunkFilesFixture on;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 6; ++seed) all.push_back(chunked(2 * chunk_bytes, seed));
    on.options.budget_bytes = 3 * chunk_room_for(all[0].blob);
    on.options.high_permille = on.options.low_permille = 1000;
    ASSERT_TRUE(on.open());
    for (unsigned number = 0; number < 3; ++number) {
        on.clock.advance(1s);
        ASSERT_TRUE(on.keep(all[number]));
    }
    on.store->set_other_holders(all[0].blob.digest, 0);
    on.store->set_other_holders(Sha256{}, 0);
    auto pin = on.store->pin(all[1].blob.digest);
    ASSERT_TRUE(pin);
    auto copy = std::make_unique<ChunkPin>(*pin);
    ASSERT_TRUE(on.keep(all[3]));
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{0, 1, 3}));
    on.store->set_other_holders(all[3].blob.digest, 0);
    on.clock.advance(1s);
    auto second = on.keep(all[4]);
    ASSERT_TRUE(second);
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{1, 3, 4}));
    auto third = on.store->pin(all[3].blob.digest);
    ASSERT_TRUE(third);
    pin = fail(Errc::gone, "");
    EXPECT_EQ(on.store->begin(all[5].blob, all[5].hashes).error().code(), Errc::storage_full) << "a copy pins too";
    copy.reset();
    EXPECT_TRUE(on.keep(all[5]));
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{3, 4, 5}));
}

TEST(ChunkFilesRoom, what_nobody_knows_of_any_more_goes_by_its_last_use_again)
{
    ChunkFilesFixture on;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 5; ++seed) all.push_back(chunked(2 * chunk_bytes, seed));
    on.options.budget_bytes = 3 * chunk_room_for(all[0].blob);
    on.options.high_permille = on.options.low_permille = 1000;
    ASSERT_TRUE(on.open());
    for (unsigned number = 0; number < 3; ++number) {
        ASSERT_TRUE(on.keep(all[number]));
        on.store->set_other_holders(all[number].blob.digest, number == 2 ? 3 : 0);
        on.clock.advance(1min);
    }
    ASSERT_TRUE(on.keep(all[3]));
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{0, 1, 3})) << "others have the latest";
    on.store->set_other_holders(all[0].blob.digest, std::nullopt);
    on.clock.advance(1min);
    ASSERT_TRUE(on.keep(all[4]));
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{1, 3, 4}));
}

TEST(ChunkFilesRoom, the_time_of_use_survives_a_restart)
{
    ChunkFilesFixture on;
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 4; ++seed) all.push_back(chunked(chunk_bytes, seed));
    on.options.budget_bytes = 3 * chunk_room_for(all[0].blob);
    on.options.high_permille = on.options.low_permille = 1000;
    on.clock.advance(std::chrono::years{20});  // after what the files have by themselves
    ASSERT_TRUE(on.open());
    for (unsigned number = 0; number < 3; ++number) ASSERT_TRUE(on.keep(all[number]));
    for (const unsigned number : {1U, 0U, 2U}) {
        on.clock.advance(5min);
        ASSERT_TRUE(on.store->pin(all[number].blob.digest));
    }
    ASSERT_TRUE(on.open());
    on.clock.advance(5min);
    ASSERT_TRUE(on.keep(all[3]));
    EXPECT_EQ(left_of(on, all), (std::vector<unsigned>{0, 2, 3}));
}

TEST(ChunkFilesRoom, what_others_have_left_of_the_disk_counts)
{
    ChunkFilesFixture on;
    const auto disk = std::make_shared<RefusingDisk>();
    on.options.disk = disk;
    ASSERT_TRUE(on.open());
    const auto of = chunked(3 * chunk_bytes);
    disk->free = 3 * chunk_bytes;
    EXPECT_EQ(on.store->begin(of.blob, of.hashes).error().code(), Errc::storage_full);
    EXPECT_FALSE(on.store->statistics().is_read_only);
    disk->free = chunk_room_for(of.blob);
    EXPECT_TRUE(on.keep(of));
}

TEST(ChunkFilesRoom, a_disk_that_refuses_is_only_read_for_a_while)
{
    for (const int number : {ENOSPC, EDQUOT, EIO, EROFS}) {
        ChunkFilesFixture on;
        const auto disk = std::make_shared<RefusingDisk>();
        on.options.disk = disk;
        ASSERT_TRUE(on.open());
        const auto code = number == ENOSPC || number == EDQUOT ? Errc::storage_full : Errc::unavailable;
        const auto of = chunked(4 * chunk_bytes);
        const auto pin = on.store->begin(of.blob, of.hashes);
        ASSERT_TRUE(pin);
        ASSERT_TRUE(on.store->write(*pin, 1, of.chunk(1)));
        disk->write_error = number;
        const auto refused = on.store->write(*pin, 0, of.chunk(0));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), code);
        EXPECT_EQ(refused.error().retry_after(), 30s);
        disk->write_error = 0;
        const int tried = disk->writes_tried;
        on.clock.advance(10s);
        EXPECT_EQ(on.store->write(*pin, 0, of.chunk(0)).error().code(), code);
        EXPECT_EQ(on.store->write(*pin, 0, of.chunk(0)).error().retry_after(), 20s);
        EXPECT_EQ(on.store->begin(chunked(5).blob, chunked(5).hashes).error().code(), code);
        EXPECT_EQ(on.store->flush().error().code(), code);
        EXPECT_TRUE(on.store->statistics().is_read_only);
        EXPECT_EQ(disk->writes_tried, tried) << "nothing asks the disk meanwhile";
        EXPECT_EQ(on.read(*pin, {1, 1}).value(), as_text(of.chunk(1))) << "reads go on";
        EXPECT_TRUE(on.store->begin(of.blob, of.hashes)) << "so does what needs no write";
        on.clock.advance(20s);
        EXPECT_FALSE(on.store->statistics().is_read_only);
        for (const std::uint32_t chunk : {0U, 2U, 3U}) ASSERT_TRUE(on.store->write(*pin, chunk, of.chunk(chunk)));
        EXPECT_TRUE(pin->is_complete());
    }
}

TEST(ChunkFilesRoom, a_blob_that_cant_begin_leaves_nothing)
{
    ChunkFilesFixture on;
    const auto disk = std::make_shared<RefusingDisk>();
    on.options.disk = disk;
    ASSERT_TRUE(on.open());
    const auto of = chunked(4 * chunk_bytes);
    for (auto* error : {&disk->create_error, &disk->write_error, &disk->rename_error}) {
        *error = ENOSPC;
        EXPECT_EQ(on.store->begin(of.blob, of.hashes).error().code(), Errc::storage_full);
        *error = 0;
        on.clock.advance(30s);
        EXPECT_EQ(on.store->statistics().taken_bytes, 0U);
        EXPECT_TRUE(std::filesystem::is_empty(on.options.root / "index"));
        EXPECT_TRUE(std::filesystem::is_empty(on.options.root / "partial"));
    }
    EXPECT_TRUE(on.keep(of));
}

// After a failed sync nobody knows what is on the device, and the next one would not say (fsync(2)).
TEST(ChunkFilesRoom, a_sync_that_fails_takes_back_what_was_not_durable)
{
    ChunkFilesFixture on;
    const auto disk = std::make_shared<RefusingDisk>();
    on.options.disk = disk;
    ASSERT_TRUE(on.open());
    const auto of = chunked(4 * chunk_bytes);
    const auto pin = on.store->begin(of.blob, of.hashes);
    ASSERT_TRUE(pin);
    ASSERT_TRUE(on.store->write(*pin, 2, of.chunk(2)));
    ASSERT_TRUE(on.store->flush());
    ASSERT_TRUE(on.store->write(*pin, 0, of.chunk(0)));
    disk->sync_error = EIO;
    EXPECT_EQ(on.store->flush().error().code(), Errc::unavailable);
    EXPECT_EQ(pin->here().runs(), (std::vector<PieceRange>{{2, 1}}));
    EXPECT_EQ(on.read(*pin, {0, 1}).error().code(), Errc::not_found);
    disk->sync_error = 0;
    on.clock.advance(30s);
    for (const std::uint32_t chunk : {0U, 1U, 3U}) {
        EXPECT_EQ(on.store->write(*pin, chunk, of.chunk(chunk)).value(), chunk == 3);
    }
    EXPECT_EQ(on.read(*pin, {0, 4}).value(), of.bytes);
}

TEST(ChunkFilesRoom, a_blob_whose_name_was_refused_is_completed_later)
{
    ChunkFilesFixture on;
    const auto disk = std::make_shared<RefusingDisk>();
    on.options.disk = disk;
    ASSERT_TRUE(on.open());
    const auto of = chunked(2 * chunk_bytes);
    const auto pin = on.store->begin(of.blob, of.hashes);
    ASSERT_TRUE(pin);
    ASSERT_TRUE(on.store->write(*pin, 0, of.chunk(0)));
    disk->rename_error = EROFS;
    EXPECT_EQ(on.store->write(*pin, 1, of.chunk(1)).error().code(), Errc::unavailable);
    EXPECT_TRUE(pin->here().full());
    EXPECT_FALSE(pin->is_complete());
    EXPECT_FALSE(on.store->begin(of.blob, of.hashes).value().is_complete());
    EXPECT_EQ(on.read(*pin, {0, 2}).value(), of.bytes);
    disk->rename_error = 0;
    on.clock.advance(30s);
    ASSERT_TRUE(on.store->flush());
    EXPECT_TRUE(pin->is_complete());
}

// A directory in place of the blob's name can't be removed like a file.
TEST(ChunkFilesRoom, files_that_cant_be_removed_keep_their_room_until_they_are)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(2 * chunk_bytes);
    ASSERT_TRUE(on.keep(of));
    const auto taken = on.store->statistics().taken_bytes;
    const auto obstacle = on.file_of(of, "partial");
    std::filesystem::create_directory(obstacle);
    EXPECT_EQ(on.store->remove(of.blob.digest).error().code(), Errc::unavailable);
    EXPECT_EQ(on.store->pin(of.blob.digest).error().code(), Errc::blob_unknown);
    EXPECT_EQ(on.store->begin(of.blob, of.hashes).error().code(), Errc::unavailable);
    EXPECT_EQ(on.store->flush().error().code(), Errc::unavailable);
    EXPECT_EQ(on.store->statistics().taken_bytes, taken);
    std::filesystem::remove(obstacle);
    ASSERT_TRUE(on.store->flush());
    EXPECT_EQ(on.store->statistics().taken_bytes, 0U);
    EXPECT_FALSE(std::filesystem::exists(on.file_of(of)));
    EXPECT_TRUE(on.keep(of));
}

TEST(ChunkFilesRoom, a_full_file_system_is_storage_full_and_passes)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root may mount a small disk; a_disk_that_refuses plays one";
    ChunkFilesFixture on{"8m"};
    ASSERT_TRUE(on.folder.mounted());
    ASSERT_TRUE(on.open());
    const auto early = chunked(2 * chunk_bytes);
    ASSERT_TRUE(on.keep(early));
    const auto of = chunked(16 * chunk_bytes, 2);
    {
        const auto pin = on.store->begin(of.blob, of.hashes);
        ASSERT_TRUE(pin);
        const auto other = on.folder.path() / "other";  // somebody else takes the room that there was
        {
            std::ofstream filler{other, std::ios::binary};
            const std::string block(chunk_bytes, 'x');
            for (int count = 0; count < 20; ++count) filler << block;
        }
        std::uint32_t kept = 0;
        Result<bool> written = true;
        while (written && kept < of.chunks()) {
            written = on.store->write(*pin, kept, of.chunk(kept));
            if (written) ++kept;
        }
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code(), Errc::storage_full);
        EXPECT_EQ(pin->here().count(), kept);
        ASSERT_GT(kept, 0U);
        EXPECT_EQ(on.read(*pin, {0, kept}).value(), of.bytes.substr(0, kept * chunk_bytes));
        EXPECT_EQ(on.read(on.store->pin(early.blob.digest).value(), {0, 2}).value(), early.bytes);
        std::filesystem::remove(other);
        on.clock.advance(30s);
        for (; kept < of.chunks(); ++kept) ASSERT_TRUE(on.store->write(*pin, kept, of.chunk(kept)));
        EXPECT_TRUE(pin->is_complete());
    }
    ASSERT_TRUE(on.open());
    EXPECT_EQ(on.store->statistics().complete_blobs, 2U);
}

}  // namespace
}  // namespace entrepot
