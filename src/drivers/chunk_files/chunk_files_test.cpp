#include "drivers/chunk_files/chunk_files.hpp"

#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace entrepot {
namespace {

constexpr ChunkSpan first_chunk{0, 1};

std::string bytes_of(const ChunkExtent& extent)
{
    std::string bytes(extent.length, '\0');
    const auto into = std::as_writable_bytes(std::span{bytes.data(), bytes.size()});
    EXPECT_EQ(read_chunk_file(extent.descriptor, into, extent.offset).value_or(0), bytes.size());
    return bytes;
}

TEST(ChunkFiles, gives_back_what_it_was_given)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    for (const std::size_t size : std::initializer_list<std::size_t>{1, chunk_bytes, 3 * chunk_bytes + 77}) {
        const auto of = chunked(size, static_cast<unsigned>(size));
        const auto pin = on.keep(of);
        ASSERT_TRUE(pin);
        EXPECT_TRUE(pin->is_complete());
        EXPECT_TRUE(pin->here().full());
        EXPECT_EQ(on.read(*pin, {0, of.chunks()}).value(), of.bytes);
        EXPECT_EQ(pin->verifier().expected(0), of.hashes[0]);
        const auto extent = on.store->extent(*pin, {of.chunks() - 1, 1});
        ASSERT_TRUE(extent);
        EXPECT_EQ(bytes_of(*extent), as_text(of.chunk(of.chunks() - 1)));
        EXPECT_TRUE(std::filesystem::exists(on.file_of(of)));
        EXPECT_FALSE(std::filesystem::exists(on.file_of(of, "partial")));
    }
    const auto statistics = on.store->statistics();
    EXPECT_EQ(statistics.blobs, 3U);
    EXPECT_EQ(statistics.complete_blobs, 3U);
    EXPECT_EQ(statistics.chunks, 6U);
    EXPECT_EQ(statistics.writes, 6U);
    EXPECT_EQ(statistics.reads, 6U);
    EXPECT_EQ(statistics.written_bytes, 4 * chunk_bytes + 78);
    EXPECT_GE(statistics.used_bytes, on.bytes_on_disk() - 4096);  // but the version's file
    EXPECT_EQ(statistics.used_bytes, statistics.taken_bytes);
}

TEST(ChunkFiles, a_blob_without_bytes_is_complete_at_once)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(0);
    EXPECT_TRUE(on.store->begin(of.blob, of.hashes).value().is_complete());
    ASSERT_TRUE(on.open());
    EXPECT_TRUE(on.store->pin(of.blob.digest).value().is_complete());
}

TEST(ChunkFiles, chunks_come_in_any_order_and_can_be_read_at_once)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(9 * chunk_bytes + 1);
    const auto pin = on.store->begin(of.blob, of.hashes);
    ASSERT_TRUE(pin);
    std::uint32_t count = 0;
    for (const std::uint32_t chunk : {9U, 4U, 0U, 1U, 2U, 8U, 3U, 7U, 6U, 5U}) {
        EXPECT_EQ(on.read(*pin, {chunk, 1}).error().code(), Errc::not_found);
        EXPECT_EQ(on.store->extent(*pin, {chunk, 1}).error().code(), Errc::not_found);
        EXPECT_EQ(on.store->write(*pin, chunk, of.chunk(chunk)).value(), ++count == of.chunks());
        EXPECT_EQ(on.read(*pin, {chunk, 1}).value(), as_text(of.chunk(chunk)));
        EXPECT_EQ(pin->here().count(), count);
    }
    EXPECT_TRUE(on.store->write(*pin, 3, of.chunk(3)).value()) << "again is fine";
    EXPECT_EQ(on.read(*pin, {0, of.chunks()}).value(), of.bytes);
}

TEST(ChunkFiles, keeps_nothing_that_is_not_the_blobs)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(2 * chunk_bytes + 5);
    auto wrong = of.hashes;
    wrong[1].bytes[0] ^= 1U;
    EXPECT_EQ(on.store->begin(of.blob, wrong).error().code(), Errc::digest_mismatch);
    wrong.pop_back();
    EXPECT_EQ(on.store->begin(of.blob, wrong).error().code(), Errc::size_invalid);
    EXPECT_EQ(on.store->begin({.size = ~std::uint64_t{0}}, {}).error().code(), Errc::size_invalid);
    EXPECT_EQ(on.store->statistics().blobs, 0U);
    EXPECT_EQ(on.store->statistics().taken_bytes, 0U);

    const auto pin = on.store->begin(of.blob, of.hashes);
    ASSERT_TRUE(pin);
    EXPECT_EQ(on.store->write(*pin, 0, of.chunk(1)).error().code(), Errc::digest_mismatch);
    EXPECT_EQ(on.store->write(*pin, 2, of.chunk(1)).error().code(), Errc::size_invalid);
    EXPECT_EQ(on.store->write(*pin, 3, of.chunk(1)).error().code(), Errc::range_invalid);
    EXPECT_EQ(on.read(*pin, {0, 0}).error().code(), Errc::range_invalid);
    EXPECT_EQ(on.store->extent(*pin, {1, 3}).error().code(), Errc::range_invalid);
    EXPECT_EQ(on.store->read(*pin, first_chunk, {}).error().code(), Errc::size_invalid);
    EXPECT_TRUE(pin->here().empty());

    auto other = of.blob;
    other.chunk_root.bytes[0] ^= 1U;
    EXPECT_EQ(on.store->begin(other, of.hashes).error().code(), Errc::conflict);
}

// The chunks are as promised, and together they are another blob than its name says.
TEST(ChunkFiles, a_list_that_lies_is_found_at_the_end_and_goes_with_all_its_chunks)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto truth = chunked(3 * chunk_bytes);
    auto lie = chunked(3 * chunk_bytes, 2);
    lie.blob.digest = truth.blob.digest;
    {
        const auto pin = on.store->begin(lie.blob, lie.hashes);
        ASSERT_TRUE(pin);
        ASSERT_TRUE(on.store->write(*pin, 0, lie.chunk(0)));
        ASSERT_TRUE(on.store->write(*pin, 2, lie.chunk(2)));
        EXPECT_EQ(on.store->write(*pin, 1, lie.chunk(1)).error().code(), Errc::digest_mismatch);
        EXPECT_EQ(on.read(*pin, first_chunk).error().code(), Errc::blob_unknown);
    }
    EXPECT_EQ(on.store->pin(truth.blob.digest).error().code(), Errc::blob_unknown);
    EXPECT_FALSE(std::filesystem::exists(on.file_of(truth, "index")));
    EXPECT_TRUE(on.keep(truth).value().is_complete());
}

TEST(ChunkFiles, partial_and_complete_blobs_survive_a_restart)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto whole = chunked(2 * chunk_bytes);
    const auto part = chunked(5 * chunk_bytes + 3, 2);
    ASSERT_TRUE(on.keep(whole));
    {
        const auto pin = on.store->begin(part.blob, part.hashes);
        ASSERT_TRUE(pin);
        for (const std::uint32_t chunk : {5U, 1U, 2U}) ASSERT_TRUE(on.store->write(*pin, chunk, part.chunk(chunk)));
    }
    const auto before = on.store->statistics();
    EXPECT_LT(before.used_bytes, before.taken_bytes);
    ASSERT_TRUE(on.open());
    const auto after = on.store->statistics();
    EXPECT_EQ(after.taken_bytes, before.taken_bytes);
    EXPECT_EQ(after.used_bytes, before.used_bytes);
    EXPECT_EQ(after.chunks, 5U);
    EXPECT_EQ(after.damaged_blobs + after.foreign_files, 0U);
    EXPECT_EQ(on.read(on.store->pin(whole.blob.digest).value(), {0, 2}).value(), whole.bytes);
    const auto pin = on.store->begin(part.blob, part.hashes);
    ASSERT_TRUE(pin);
    EXPECT_FALSE(pin->is_complete());
    EXPECT_EQ(pin->here().runs(), (std::vector<PieceRange>{{1, 2}, {5, 1}}));
    for (const std::uint32_t chunk : {0U, 4U, 3U}) {
        EXPECT_EQ(on.store->write(*pin, chunk, part.chunk(chunk)).value(), chunk == 3);
    }
    EXPECT_EQ(on.read(*pin, {0, 6}).value(), part.bytes);
}

TEST(ChunkFiles, a_damaged_chunk_is_dropped_said_and_fetched_again)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(3 * chunk_bytes);
    ASSERT_TRUE(on.keep(of));
    on.damage(on.file_of(of), chunk_bytes + 100);
    ASSERT_TRUE(on.open());
    {
        const auto pin = on.store->pin(of.blob.digest);
        ASSERT_TRUE(pin);
        ASSERT_TRUE(pin->is_complete());
        EXPECT_TRUE(on.store->extent(*pin, first_chunk));
        EXPECT_EQ(on.store->extent(*pin, {0, 3}).error().code(), Errc::corrupt);
        EXPECT_EQ(on.store->extent(*pin, {0, 3}).error().code(), Errc::not_found);
        EXPECT_FALSE(pin->is_complete());
        EXPECT_EQ(pin->here().runs(), (std::vector<PieceRange>{{0, 1}, {2, 1}}));
        EXPECT_EQ(on.store->statistics().corrupt_chunks, 1U);
    }
    ASSERT_TRUE(on.open());
    const auto pin = on.store->pin(of.blob.digest);
    ASSERT_TRUE(pin);
    EXPECT_EQ(pin->here().count(), 2U) << "it stays dropped";
    EXPECT_TRUE(on.store->write(*pin, 1, of.chunk(1)).value());
    EXPECT_EQ(on.read(*pin, {0, 3}).value(), of.bytes);

    // Rot after it was looked at: each read looks again, and so does who doubts an extent.
    on.damage(on.file_of(of), 5);
    EXPECT_TRUE(on.store->extent(*pin, first_chunk));
    EXPECT_EQ(on.store->recheck(*pin, first_chunk).error().code(), Errc::corrupt);
    EXPECT_TRUE(on.store->write(*pin, 0, of.chunk(0)).value());
    std::filesystem::resize_file(on.file_of(of), chunk_bytes + 1);
    EXPECT_EQ(on.read(*pin, {2, 1}).error().code(), Errc::corrupt);
    EXPECT_EQ(on.read(*pin, {1, 1}).error().code(), Errc::corrupt);
    EXPECT_TRUE(on.store->write(*pin, 1, of.chunk(1)));
    EXPECT_TRUE(on.store->write(*pin, 2, of.chunk(2)).value());
    EXPECT_EQ(on.read(*pin, {0, 3}).value(), of.bytes);
}

// Damaged between its arrival and the last chunk: the digest shows it, and only what is damaged goes.
TEST(ChunkFiles, the_digest_at_the_end_finds_what_was_damaged_on_the_way)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(6 * chunk_bytes);
    const auto pin = on.store->begin(of.blob, of.hashes);
    ASSERT_TRUE(pin);
    for (const std::uint32_t chunk : {5U, 4U, 3U, 2U, 1U}) ASSERT_TRUE(on.store->write(*pin, chunk, of.chunk(chunk)));
    on.damage(on.file_of(of, "partial"), 4 * chunk_bytes);
    EXPECT_EQ(on.store->write(*pin, 0, of.chunk(0)).error().code(), Errc::corrupt);
    EXPECT_EQ(pin->here().runs(), (std::vector<PieceRange>{{0, 4}, {5, 1}}));
    EXPECT_TRUE(on.store->write(*pin, 4, of.chunk(4)).value());
}

TEST(ChunkFiles, a_removed_blob_is_gone_for_new_reads_and_stays_for_extents)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(2 * chunk_bytes);
    {
        const auto pin = on.keep(of);
        ASSERT_TRUE(pin);
        const auto extent = on.store->extent(*pin, {1, 1});
        ASSERT_TRUE(extent);
        ASSERT_TRUE(on.store->remove(of.blob.digest));
        EXPECT_EQ(on.read(*pin, first_chunk).error().code(), Errc::blob_unknown);
        EXPECT_EQ(on.store->extent(*pin, first_chunk).error().code(), Errc::blob_unknown);
        EXPECT_EQ(on.store->write(*pin, 0, of.chunk(0)).error().code(), Errc::blob_unknown);
        EXPECT_EQ(on.store->pin(of.blob.digest).error().code(), Errc::blob_unknown);
        EXPECT_EQ(bytes_of(*extent), as_text(of.chunk(1)));
        EXPECT_NE(on.store->statistics().taken_bytes, 0U) << "its bytes are on disk as long as it is open";
        EXPECT_TRUE(on.store->remove(of.blob.digest)) << "again is fine";
    }
    EXPECT_EQ(on.store->statistics().taken_bytes, 0U);
    for (const auto* folder : {"blobs", "partial", "index"}) {
        EXPECT_TRUE(std::filesystem::is_empty(on.options.root / folder)) << folder;
    }
    EXPECT_TRUE(on.keep(of).value().is_complete());
}

TEST(ChunkFiles, one_process_has_the_directory)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto second = ChunkFiles::open(on.options, on.clock);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), Errc::conflict);
    on.store.reset();
    EXPECT_TRUE(ChunkFiles::open(on.options, on.clock));
}

TEST(ChunkFiles, what_another_version_wrote_is_refused_and_left_alone)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(100);
    ASSERT_TRUE(on.keep(of));
    on.store.reset();
    for (const auto* version : {"2\n", "", "1", "1\n\n"}) {
        std::ofstream{on.options.root / "format"} << version;
        const auto opened = ChunkFiles::open(on.options, on.clock);
        ASSERT_FALSE(opened) << version;
        EXPECT_EQ(opened.error().code(), Errc::unsupported);
        EXPECT_TRUE(std::filesystem::exists(on.file_of(of)));
    }
    std::ofstream{on.options.root / "format"} << "1\n";
    ASSERT_TRUE(on.open());
    EXPECT_TRUE(on.store->pin(of.blob.digest));
}

TEST(ChunkFiles, damaged_entries_are_forgotten_with_their_files)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    std::vector<ChunkedBytes> all;
    for (unsigned seed = 0; seed < 6; ++seed) {
        all.push_back(chunked(chunk_bytes + 10, seed));
        ASSERT_TRUE(on.keep(all.back()));
    }
    on.store.reset();
    on.damage(on.file_of(all[0], "index"), 50);                                     // its head
    std::filesystem::resize_file(on.file_of(all[1], "index"), 20);                  // cut
    std::filesystem::resize_file(on.file_of(all[2]), 20);                           // the data cut
    std::filesystem::remove(on.file_of(all[3], "index"));                           // data without an index
    std::filesystem::remove(on.file_of(all[4]));                                    // an index without data
    on.damage(on.file_of(all[5], "index"), chunk_index_head_bytes + 40);            // its list of hashes
    std::ofstream{on.file_of(all[4], "index").string() + ".new"} << "half an ind";  // killed on the way
    ASSERT_TRUE(on.open());
    EXPECT_EQ(on.store->statistics().damaged_blobs, 3U);
    EXPECT_EQ(on.store->statistics().blobs, 1U);
    EXPECT_EQ(on.store->pin(all[5].blob.digest).error().code(), Errc::corrupt);
    EXPECT_EQ(on.store->pin(all[5].blob.digest).error().code(), Errc::blob_unknown);
    EXPECT_EQ(on.store->statistics().taken_bytes, 0U);
    for (const auto* folder : {"blobs", "partial", "index"}) {
        EXPECT_TRUE(std::filesystem::is_empty(on.options.root / folder)) << folder;
    }
    EXPECT_TRUE(on.keep(all[0]).value().is_complete());
}

TEST(ChunkFiles, foreign_files_are_left_alone_and_reported)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    on.store.reset();
    const std::string name(64, 'a');
    const std::vector<std::string> foreign{"notes.txt", "blobs/README", "index/" + name + "b", "partial/" + name};
    for (const auto& path : foreign) {
        if (path.starts_with("partial/")) {
            std::filesystem::create_directory(on.options.root / path);  // named like a blob, and no file
        } else {
            std::ofstream{on.options.root / path} << "mine";
        }
    }
    ASSERT_TRUE(on.open());
    EXPECT_EQ(on.store->statistics().foreign_files, 4U);
    auto reported = on.store->foreign();
    std::ranges::sort(reported);
    auto expected = foreign;
    std::ranges::sort(expected);
    EXPECT_EQ(reported, expected);
    for (const auto& path : foreign) EXPECT_TRUE(std::filesystem::exists(on.options.root / path)) << path;
}

TEST(ChunkFiles, lists_its_blobs)
{
    ChunkFilesFixture on;
    ASSERT_TRUE(on.open());
    const auto of = chunked(2 * chunk_bytes);
    {
        const auto pin = on.store->begin(of.blob, of.hashes);
        ASSERT_TRUE(pin);
        ASSERT_TRUE(on.store->write(*pin, 1, of.chunk(1)));
        const auto listed = on.store->blobs();
        ASSERT_EQ(listed.size(), 1U);
        EXPECT_TRUE(listed[0].is_pinned);
    }
    const auto listed = on.store->blobs();
    EXPECT_EQ(listed[0].blob, of.blob);
    EXPECT_EQ(listed[0].chunks_here, 1U);
    EXPECT_FALSE(listed[0].is_complete);
    EXPECT_FALSE(listed[0].is_pinned);
    EXPECT_EQ(listed[0].last_used, on.clock.now());
}

}  // namespace
}  // namespace entrepot
