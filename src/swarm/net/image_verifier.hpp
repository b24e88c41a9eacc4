#pragma once

#include "core/error.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/descriptor/image_descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace entrepot {

// Tells an image's chunks, numbered through all of its blobs, from what others send for them. Immutable; safe from any
// thread.
class ImageVerifier {
public:
    // `hashes` of all chunks of the image, in their order, from whomever. size_invalid: not as many as it has chunks;
    // digest_mismatch: they are not those of the descriptor.
    static Result<ImageVerifier> of(ImageDescriptor descriptor, std::span<const Sha256> hashes);

    const ImageDescriptor& descriptor() const noexcept { return descriptor_; }
    // range_invalid; size_invalid: the chunk has another size; digest_mismatch: these are other bytes.
    Result<> verify(ChunkIndex chunk, std::span<const std::byte> bytes) const;

private:
    ImageVerifier(ImageDescriptor descriptor, std::vector<ChunkVerifier> blobs);

    ImageDescriptor descriptor_;
    std::vector<ChunkVerifier> blobs_;
};

}  // namespace entrepot
