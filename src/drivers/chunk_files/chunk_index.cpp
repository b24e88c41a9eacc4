#include "drivers/chunk_files/chunk_index.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace entrepot {
namespace {

constexpr std::string_view magic = "ECF1";
constexpr std::size_t check_bytes = 8;

template <class Number>
void append_number(std::string& into, Number value)
{
    for (std::size_t byte = 0; byte < sizeof(Number); ++byte) into.push_back(static_cast<char>(value >> (8 * byte)));
}

template <class Number>
Number take_number(std::span<const std::byte>& from)
{
    Number value = 0;
    for (std::size_t byte = 0; byte < sizeof(Number); ++byte) {
        value |= static_cast<Number>(std::to_integer<Number>(from[byte]) << (8 * byte));
    }
    from = from.subspan(sizeof(Number));
    return value;
}

Sha256 take_hash(std::span<const std::byte>& from)
{
    Sha256 hash;
    std::memcpy(hash.bytes.data(), from.data(), sizeof(hash.bytes));
    from = from.subspan(sizeof(hash.bytes));
    return hash;
}

// The first bytes of the SHA-256 of `bytes`, behind the digest of the blob that they belong to.
std::string check_of(const Sha256& digest, std::string_view bytes)
{
    Sha256Stream stream;
    stream.update(as_bytes(digest));
    stream.update(as_bytes(bytes));
    const auto hash = stream.take();
    return std::string{as_text(as_bytes(hash)).substr(0, check_bytes)};
}

std::unexpected<Error> damaged(const char* what)
{
    return fail(Errc::corrupt, "an index of the chunk store is damaged", what);
}

std::optional<ChunkIndexSlot> parse_slot(const DescribedBlob& blob, std::span<const std::byte> bytes)
{
    const ChunkIndexShape shape{blob};
    const auto body = bytes.first(shape.slot_bytes - check_bytes);
    if (check_of(blob.digest, as_text(body)) != as_text(bytes.subspan(body.size()))) return std::nullopt;
    auto rest = body;
    ChunkIndexSlot slot{.sequence = take_number<std::uint64_t>(rest), .here = ChunkSet{shape.chunks}};
    for (std::size_t at = 0; at < rest.size(); ++at) {
        const auto bits = std::to_integer<unsigned>(rest[at]);
        for (unsigned bit = 0; bit < 8; ++bit) {
            if (((bits >> bit) & 1U) == 0) continue;
            const auto chunk = at * 8 + bit;
            if (chunk >= shape.chunks) return std::nullopt;
            slot.here.insert(static_cast<std::uint32_t>(chunk));
        }
    }
    return slot;
}

}  // namespace

std::string encode_chunk_index(const DescribedBlob& blob, std::span<const Sha256> hashes)
{
    const ChunkIndexShape shape{blob};
    std::string index{magic};
    index.reserve(shape.bytes);
    append_number(index, shape.chunks);
    index += as_text(as_bytes(blob.digest));
    append_number(index, blob.size);
    index += as_text(as_bytes(blob.chunk_root));
    index += check_of(blob.digest, index);
    index += encode_hash_list(hashes);
    index += encode_chunk_index_slot(blob, 0, ChunkSet{shape.chunks});
    index.resize(shape.bytes);
    return index;
}

std::string encode_chunk_index_slot(const DescribedBlob& blob, std::uint64_t sequence, const ChunkSet& here)
{
    std::string slot;
    append_number(slot, sequence);
    std::string bits;
    for (const auto word : here.words()) append_number(bits, word);
    bits.resize((std::size_t{here.size()} + 7) / 8);
    slot += bits;
    slot += check_of(blob.digest, slot);
    return slot;
}

Result<DescribedBlob> parse_chunk_index_head(std::span<const std::byte> bytes)
{
    if (bytes.size() < chunk_index_head_bytes) return damaged("its head is cut");
    const auto head = bytes.first(chunk_index_head_bytes);
    if (!as_text(head).starts_with(magic)) return damaged("it is none");
    auto rest = head.subspan(magic.size());
    const auto chunks = take_number<std::uint32_t>(rest);
    DescribedBlob blob;
    blob.digest = take_hash(rest);
    blob.size = take_number<std::uint64_t>(rest);
    blob.chunk_root = take_hash(rest);
    const auto body = as_text(head).substr(0, chunk_index_head_bytes - check_bytes);
    if (check_of(blob.digest, body) != as_text(rest)) return damaged("its head has another check");
    if (chunks > most_listed_chunks || chunk_count(blob.size) != chunks) return damaged("its size and chunks differ");
    return blob;
}

Result<ChunkIndexSlot> parse_chunk_index_slots(const DescribedBlob& blob, std::span<const std::byte> bytes)
{
    const ChunkIndexShape shape{blob};
    if (bytes.size() != 2 * shape.slot_bytes) return damaged("its slots are cut");
    auto even = parse_slot(blob, bytes.first(shape.slot_bytes));
    auto odd = parse_slot(blob, bytes.subspan(shape.slot_bytes));
    // Each number has its place: in the other's it is a copy that nobody wrote.
    if (even && even->sequence % 2 != 0) even.reset();
    if (odd && odd->sequence % 2 != 1) odd.reset();
    if (!even && !odd) return damaged("neither of its slots is whole");
    if (!odd || (even && even->sequence > odd->sequence)) return *std::move(even);
    return *std::move(odd);
}

}  // namespace entrepot
