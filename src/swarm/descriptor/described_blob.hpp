#pragma once

#include "swarm/piece.hpp"
#include "swarm/wire/wire_values.hpp"

#include <algorithm>
#include <cstdint>

namespace entrepot {

// A blob as an image's descriptor names it. Its digest is of the algorithm sha256: blobs of others have no swarm.
struct DescribedBlob {
    Sha256 digest{};
    std::uint64_t size = 0;  // bytes
    Sha256 chunk_root{};     // of the tree over the hashes of its chunks (chunk_tree.hpp)

    bool operator==(const DescribedBlob&) const noexcept = default;
};

// How many chunks an image or a blob may have where all of their hashes are listed: 512 GiB, and 64 MiB of hashes.
inline constexpr std::uint32_t most_listed_chunks = 1U << 21U;

// Of a blob of so many bytes; none of an empty one.
constexpr std::uint64_t chunk_count(std::uint64_t bytes) noexcept
{
    return bytes / chunk_bytes + (bytes % chunk_bytes == 0 ? 0 : 1);
}

// How many bytes the chunk with this number, below chunk_count(bytes), has.
constexpr std::uint64_t chunk_size(std::uint64_t bytes, std::uint64_t chunk) noexcept
{
    return std::min(chunk_bytes, bytes - chunk * chunk_bytes);
}

}  // namespace entrepot
