#include "swarm/descriptor/chunk_hashes.hpp"

#include "swarm/descriptor/chunk_tree.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace entrepot {
namespace {

constexpr std::uint64_t most_bytes = most_listed_chunks * chunk_bytes;
constexpr std::size_t hash_bytes = sizeof(Sha256);
static_assert(hash_bytes == 32);

}  // namespace

Result<> ChunkHashes::update(std::span<const std::byte> bytes)
{
    if (bytes.size() > most_bytes - size_) return fail(Errc::size_invalid, "the blob is too large for a swarm");
    blob_.update(bytes);
    while (!bytes.empty()) {
        const auto room = chunk_bytes - size_ % chunk_bytes;
        const auto part = bytes.first(std::min<std::uint64_t>(room, bytes.size()));
        chunk_.update(part);
        size_ += part.size();
        if (part.size() == room) chunks_.push_back(chunk_.take());
        bytes = bytes.subspan(part.size());
    }
    return {};
}

HashedBlob ChunkHashes::finish() &&
{
    if (size_ % chunk_bytes != 0) chunks_.push_back(chunk_.take());
    const auto root = chunk_root_of(chunks_);
    return {.blob = {.digest = blob_.take(), .size = size_, .chunk_root = root}, .chunks = std::move(chunks_)};
}

std::string encode_hash_list(std::span<const Sha256> hashes)
{
    const auto bytes = std::as_bytes(hashes);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<std::vector<Sha256>> parse_hash_list(std::span<const std::byte> bytes)
{
    if (bytes.size() % hash_bytes != 0) return fail(Errc::size_invalid, "a list of hashes has 32 bytes for each");
    if (bytes.size() / hash_bytes > most_listed_chunks) return fail(Errc::size_invalid, "too many hashes");
    std::vector<Sha256> hashes(bytes.size() / hash_bytes);
    if (!bytes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
    return hashes;
}

Result<ChunkVerifier> ChunkVerifier::of(const DescribedBlob& blob, std::vector<Sha256> hashes)
{
    if (hashes.size() != chunk_count(blob.size))
        return fail(Errc::size_invalid, "a blob has another number of chunks than its list of hashes");
    if (chunk_root_of(hashes) != blob.chunk_root)
        return fail(Errc::digest_mismatch, "a list of hashes is not that of the blob");
    return ChunkVerifier{blob.size, std::move(hashes)};
}

Result<> ChunkVerifier::verify(std::uint32_t chunk, std::span<const std::byte> bytes) const
{
    if (chunk >= chunks()) return fail(Errc::range_invalid, "the blob has no such chunk");
    if (bytes.size() != chunk_size(size_, chunk)) return fail(Errc::size_invalid, "the chunk has another size");
    if (sha256_of(bytes) != expected(chunk)) return fail(Errc::digest_mismatch, "the chunk has other bytes");
    return {};
}

}  // namespace entrepot
