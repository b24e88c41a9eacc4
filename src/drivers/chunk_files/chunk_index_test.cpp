#include "drivers/chunk_files/chunk_index.hpp"

#include "core/bytes.hpp"
#include "tests/support/chunk_files_fixture.hpp"

#include <gtest/gtest.h>

#include <string>

namespace entrepot {
namespace {

Result<ChunkIndexSlot> slots_of(const DescribedBlob& blob, std::string_view index)
{
    return parse_chunk_index_slots(blob, as_bytes(index.substr(ChunkIndexShape{blob}.slots_offset)));
}

// An index after its blob's slots were written up to `sequence`, each with one chunk more.
std::string written_index(const ChunkedBytes& of, std::uint64_t sequence)
{
    auto index = encode_chunk_index(of.blob, of.hashes);
    ChunkSet here{of.chunks()};
    for (std::uint64_t at = 1; at <= sequence; ++at) {
        here.insert(static_cast<std::uint32_t>(at - 1));
        const auto slot = encode_chunk_index_slot(of.blob, at, here);
        index.replace(ChunkIndexShape{of.blob}.slot_offset(at), slot.size(), slot);
    }
    return index;
}

TEST(ChunkIndex, is_read_as_it_was_written)
{
    for (const std::size_t size : std::initializer_list<std::size_t>{0, 1, chunk_bytes, 70 * chunk_bytes + 5}) {
        const auto of = chunked(size);
        const auto index = encode_chunk_index(of.blob, of.hashes);
        const ChunkIndexShape shape{of.blob};
        EXPECT_EQ(index.size(), shape.bytes);
        EXPECT_EQ(parse_chunk_index_head(as_bytes(index)).value(), of.blob);
        const auto list = index.substr(chunk_index_head_bytes, shape.hashes_bytes);
        EXPECT_EQ(parse_hash_list(as_bytes(list)).value(), of.hashes);
        const auto slot = slots_of(of.blob, index);
        ASSERT_TRUE(slot);
        EXPECT_EQ(slot->sequence, 0U);
        EXPECT_EQ(slot->here.count(), 0U);
        EXPECT_EQ(slot->here.size(), of.chunks());
    }
}

TEST(ChunkIndex, the_newer_slot_counts)
{
    const auto of = chunked(70 * chunk_bytes);
    for (std::uint64_t sequence = 0; sequence < 20; ++sequence) {
        const auto slot = slots_of(of.blob, written_index(of, sequence));
        ASSERT_TRUE(slot);
        EXPECT_EQ(slot->sequence, sequence);
        EXPECT_EQ(slot->here.count(), sequence);
    }
}

TEST(ChunkIndex, a_slot_torn_anywhere_leaves_the_one_before)
{
    const auto of = chunked(20 * chunk_bytes);
    const auto before = written_index(of, 6);
    const auto after = written_index(of, 7);
    const ChunkIndexShape shape{of.blob};
    for (std::size_t cut = 0; cut <= shape.slot_bytes; ++cut) {
        auto torn = before;
        torn.replace(shape.slot_offset(7), cut, after, shape.slot_offset(7), cut);
        const auto slot = slots_of(of.blob, torn);
        ASSERT_TRUE(slot) << cut;
        EXPECT_EQ(slot->sequence, torn == after ? 7U : 6U) << cut;
        EXPECT_EQ(slot->here.count(), slot->sequence) << cut;
    }
}

TEST(ChunkIndex, any_changed_bit_of_the_head_is_seen)
{
    const auto of = chunked(3 * chunk_bytes);
    const auto index = encode_chunk_index(of.blob, of.hashes);
    for (std::size_t bit = 0; bit < 8 * chunk_index_head_bytes; ++bit) {
        auto changed = index;
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
        const auto head = parse_chunk_index_head(as_bytes(changed));
        ASSERT_FALSE(head) << bit;
        EXPECT_EQ(head.error().code(), Errc::corrupt);
    }
    for (std::size_t size = 0; size < chunk_index_head_bytes; ++size) {
        EXPECT_FALSE(parse_chunk_index_head(as_bytes(index).first(size))) << size;
    }
}

TEST(ChunkIndex, refuses_slots_of_others_and_chunks_that_there_are_not)
{
    const auto of = chunked(3 * chunk_bytes);
    const auto other = chunked(3 * chunk_bytes, 2);
    EXPECT_FALSE(slots_of(other.blob, written_index(of, 2)));
    EXPECT_FALSE(parse_chunk_index_slots(of.blob, {}));

    ChunkSet four{4};
    four.insert(3);
    auto index = encode_chunk_index(of.blob, of.hashes);
    const auto slot = encode_chunk_index_slot(of.blob, 0, four);
    index.replace(ChunkIndexShape{of.blob}.slot_offset(0), slot.size(), slot);
    EXPECT_FALSE(slots_of(of.blob, index));

    // Both slots with the same bytes: one of them is in the other's place.
    auto copied = written_index(of, 1);
    const ChunkIndexShape shape{of.blob};
    copied.replace(shape.slot_offset(0), shape.slot_bytes, copied, shape.slot_offset(1), shape.slot_bytes);
    EXPECT_EQ(slots_of(of.blob, copied).value().sequence, 1U);
    copied.replace(shape.slot_offset(1), shape.slot_bytes, std::string(shape.slot_bytes, '\0'));
    EXPECT_FALSE(slots_of(of.blob, copied));
}

}  // namespace
}  // namespace entrepot
