#pragma once

#include "core/bytes.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/descriptor/image_descriptor.hpp"
#include "swarm/swarm_random.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// For tests: an image of noise, with its descriptor and the hashes of its chunks. Immutable.
struct TestImage {
    TestImage(std::uint64_t seed, const std::vector<std::size_t>& blobs, std::uint32_t chunks_of_piece = 1)
        : descriptor{make(seed, blobs, chunks_of_piece)}
    {
    }

    std::span<const std::byte> chunk(ChunkIndex index) const
    {
        const auto& layout = descriptor.layout();
        const auto from = layout.bytes_of_chunks({.first = 0, .count = index});
        return as_bytes(bytes).subspan(from, layout.bytes_of_chunks({.first = index, .count = 1}));
    }
    const SwarmId& id() const { return descriptor.id(); }

    std::string bytes;
    std::vector<Sha256> hashes;
    ImageDescriptor descriptor;

private:
    ImageDescriptor make(std::uint64_t seed, const std::vector<std::size_t>& blobs, std::uint32_t chunks_of_piece)
    {
        ImageContent content;
        content.chunks_of_piece = chunks_of_piece;
        content.manifest.bytes[0] = static_cast<std::uint8_t>(seed);
        SwarmRandom noise{seed};
        for (const auto size : blobs) {
            std::string blob(size, '\0');
            for (std::size_t at = 0; at < size; at += 8) {
                const auto some = noise.next();
                std::memcpy(blob.data() + at, &some, std::min<std::size_t>(8, size - at));
            }
            ChunkHashes hasher;
            static_cast<void>(hasher.update(as_bytes(blob)));
            auto hashed = std::move(hasher).finish();
            content.blobs.push_back(hashed.blob);
            hashes.insert(hashes.end(), hashed.chunks.begin(), hashed.chunks.end());
            bytes += blob;
        }
        return ImageDescriptor::of(std::move(content)).value();
    }
};

}  // namespace entrepot
