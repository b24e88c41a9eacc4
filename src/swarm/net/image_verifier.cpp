#include "swarm/net/image_verifier.hpp"

#include <algorithm>
#include <ranges>

namespace entrepot {

ImageVerifier::ImageVerifier(ImageDescriptor descriptor, std::vector<ChunkVerifier> blobs)
    : descriptor_{std::move(descriptor)}, blobs_{std::move(blobs)}
{
}

Result<ImageVerifier> ImageVerifier::of(ImageDescriptor descriptor, std::span<const Sha256> hashes)
{
    if (hashes.size() != descriptor.layout().chunks())
        return fail(Errc::size_invalid, "the list has another number of hashes than the image has chunks");
    std::vector<ChunkVerifier> blobs;
    blobs.reserve(descriptor.blobs().size());
    for (std::size_t blob = 0; blob < descriptor.blobs().size(); ++blob) {
        const auto chunks = descriptor.chunks_of(blob);
        const auto own = hashes.subspan(chunks.first, chunks.count);
        TRY(auto verifier, ChunkVerifier::of(descriptor.blobs()[blob], {own.begin(), own.end()}));
        blobs.push_back(std::move(verifier));
    }
    return ImageVerifier{std::move(descriptor), std::move(blobs)};
}

Result<> ImageVerifier::verify(ChunkIndex chunk, std::span<const std::byte> bytes) const
{
    TRY(const auto place, descriptor_.place_of(chunk));
    return blobs_[place.blob].verify(place.chunk, bytes);
}

}  // namespace entrepot
