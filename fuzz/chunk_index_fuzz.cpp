// The index of a blob in a node's chunk store: what can be read is what would be written, and whatever else a disk has
// made of it is refused.
#include "core/bytes.hpp"
#include "drivers/chunk_files/chunk_index.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace entrepot;
using Input = std::span<const std::byte>;

void demand(bool holds)
{
    if (!holds) std::abort();
}

void check_slots(const DescribedBlob& blob, Input bytes)
{
    const ChunkIndexShape shape{blob};
    const auto slot = parse_chunk_index_slots(blob, bytes);
    if (!slot) {
        demand(slot.error().code() == Errc::corrupt);
        return;
    }
    demand(slot->here.size() == shape.chunks);
    const auto own = bytes.subspan(slot->sequence % 2 == 0 ? 0 : shape.slot_bytes, shape.slot_bytes);
    demand(encode_chunk_index_slot(blob, slot->sequence, slot->here) == as_text(own));
}

void check_index(Input bytes)
{
    const auto blob = parse_chunk_index_head(bytes);
    if (!blob) {
        demand(blob.error().code() == Errc::corrupt);
        return;
    }
    const ChunkIndexShape shape{*blob};
    demand(shape.chunks <= most_listed_chunks && chunk_count(blob->size) == shape.chunks);
    if (bytes.size() != shape.bytes) return;
    const auto hashes = parse_hash_list(bytes.subspan(chunk_index_head_bytes, shape.hashes_bytes)).value();
    const auto anew = encode_chunk_index(*blob, hashes);
    demand(
        anew.size() == shape.bytes && anew.substr(0, shape.slots_offset) == as_text(bytes.first(shape.slots_offset))
    );
    check_slots(*blob, bytes.subspan(shape.slots_offset));
}

// A sound index with two states of a few chunks, changed at the places that the input names: no check of the head or of
// a slot is right by chance, so the newest state that nothing touched is found, or none.
void check_damage(Input input)
{
    const auto chunks = std::to_integer<unsigned>(input[0]) % 80;
    const auto sequence = std::to_integer<std::uint64_t>(input[1]) + 1;
    DescribedBlob blob{.size = chunks * chunk_bytes};
    blob.digest.bytes[0] = std::to_integer<std::uint8_t>(input[2]);
    const std::vector<Sha256> hashes(chunks);
    auto index = encode_chunk_index(blob, hashes);
    const ChunkIndexShape shape{blob};
    for (const auto number : {sequence - 1, sequence}) {
        ChunkSet here{chunks};
        for (unsigned chunk = 0; chunk < chunks; ++chunk) {
            if ((chunk * 7 + number) % 3 == 0) here.insert(chunk);
        }
        const auto slot = encode_chunk_index_slot(blob, number, here);
        index.replace(shape.slot_offset(number), slot.size(), slot);
    }
    const auto sound = index;
    for (input = input.subspan(3); input.size() >= 3; input = input.subspan(3)) {
        const auto at = std::to_integer<std::size_t>(input[0]) | std::to_integer<std::size_t>(input[1]) << 8U;
        auto& byte = index[at % index.size()];
        byte = static_cast<char>(byte ^ std::to_integer<int>(input[2]));
    }
    const auto is_sound = [&](std::size_t offset, std::size_t length) {
        return index.compare(offset, length, sound, offset, length) == 0;
    };
    const auto head = parse_chunk_index_head(as_bytes(index));
    demand(head.has_value() == is_sound(0, chunk_index_head_bytes));
    const auto slot = parse_chunk_index_slots(blob, as_bytes(index).subspan(shape.slots_offset));
    const bool has_new = is_sound(shape.slot_offset(sequence), shape.slot_bytes);
    const bool has_old = is_sound(shape.slot_offset(sequence - 1), shape.slot_bytes);
    demand(slot.has_value() == (has_new || has_old));
    if (slot) demand(slot->sequence == (has_new ? sequence : sequence - 1));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = std::as_bytes(std::span{data, size});
    if (input.size() < 4) return 0;
    if (input.front() == std::byte{'E'}) {
        check_index(input);
    } else {
        check_damage(input.subspan(1));
    }
    return 0;
}
