#pragma once

#include "core/error.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/described_blob.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// What one pass over a blob's bytes tells of it.
struct HashedBlob {
    DescribedBlob blob;
    std::vector<Sha256> chunks;  // the SHA-256 of each chunk
};

// Hashes a blob while its bytes come, in whatever portions: as a whole, and chunk by chunk. Keeps 32 bytes for each
// chunk, and none of the blob's. One thread at a time.
class ChunkHashes {
public:
    // size_invalid: the blob has more than most_listed_chunks; nothing of `bytes` has been taken then.
    Result<> update(std::span<const std::byte> bytes);
    // To be called once, after the last byte.
    HashedBlob finish() &&;

private:
    Sha256Stream blob_;
    Sha256Stream chunk_;
    std::uint64_t size_ = 0;
    std::vector<Sha256> chunks_;
};

// A list of hashes on the wire and on disk: 32 bytes each, one after the other (docs/formats/swarm-descriptor.md).
std::string encode_hash_list(std::span<const Sha256> hashes);
// size_invalid: no whole number of hashes, or more than most_listed_chunks.
Result<std::vector<Sha256>> parse_hash_list(std::span<const std::byte> bytes);

// Tells the chunks of one blob from what others send for them. Immutable; safe from any thread.
class ChunkVerifier {
public:
    // `hashes` of all chunks of the blob, in their order, from whomever. size_invalid: not as many as the blob has
    // chunks; digest_mismatch: they don't have its chunk_root.
    static Result<ChunkVerifier> of(const DescribedBlob& blob, std::vector<Sha256> hashes);

    // Below, chunks are numbered within the blob.
    std::uint32_t chunks() const noexcept { return static_cast<std::uint32_t>(hashes_.size()); }
    // `chunk` < chunks().
    const Sha256& expected(std::uint32_t chunk) const noexcept { return hashes_[chunk]; }

    // range_invalid: the blob has no such chunk; size_invalid: the chunk has another size; digest_mismatch: these are
    // other bytes (their SHA-256 and expected() are the evidence that REPORT wants).
    Result<> verify(std::uint32_t chunk, std::span<const std::byte> bytes) const;

private:
    ChunkVerifier(std::uint64_t size, std::vector<Sha256> hashes) : size_{size}, hashes_{std::move(hashes)} {}

    std::uint64_t size_;
    std::vector<Sha256> hashes_;
};

}  // namespace entrepot
