#include "agent/served_image.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <utility>

namespace entrepot {
namespace {

// The blob that a chunk is of.
std::size_t blob_of_chunk(const ImageDescriptor& descriptor, ChunkIndex chunk)
{
    return descriptor.layout().blob_of(descriptor.layout().piece_of_chunk(chunk));
}

}  // namespace

ServedImage::ServedImage(AgentImagePtr image, bool in_swarm)
    : image_{std::move(image)},
      in_swarm_{in_swarm},
      at_start_(image_->descriptor().layout().chunks()),
      fetched_(at_start_.size()),
      claimed_(at_start_.size())
{
    for (std::size_t blob = 0; blob < image_->descriptor().blobs().size(); ++blob) {
        const auto first = image_->descriptor().chunks_of(blob).first;
        for (const auto& run : image_->here(blob).runs()) {
            for (std::uint32_t at = 0; at < run.count; ++at) at_start_[first + run.first + at] = true;
        }
    }
}

std::optional<ChunkSpan> ServedImage::claim(ChunkSpan within, std::uint32_t most)
{
    if (within.count == 0) return std::nullopt;
    const auto blob = blob_of_chunk(image_->descriptor(), within.first);
    const auto base = image_->descriptor().chunks_of(blob).first;
    const auto here = image_->here(blob);
    const std::lock_guard guard{mutex_};
    const auto is_free = [&](ChunkIndex chunk) { return !claimed_[chunk] && !here.contains(chunk - base); };
    const auto end = within.first + within.count;
    auto first = within.first;
    while (first < end && !is_free(first)) ++first;
    ChunkSpan claimed{.first = first, .count = 0};
    while (first + claimed.count < end && claimed.count < most && is_free(first + claimed.count)) {
        claimed_[first + claimed.count] = true;
        ++claimed.count;
    }
    return claimed.count == 0 ? std::nullopt : std::optional{claimed};
}

void ServedImage::give_back(ChunkSpan chunks)
{
    {
        const std::lock_guard guard{mutex_};
        for (std::uint32_t at = 0; at < chunks.count; ++at) claimed_[chunks.first + at] = false;
    }
    image_->arrivals().ring();
}

void ServedImage::note_fetched(ChunkIndex chunk)
{
    const std::lock_guard guard{mutex_};
    fetched_[chunk] = true;
}

ByteOrigin ServedImage::origin(ChunkIndex chunk) const
{
    const std::lock_guard guard{mutex_};
    if (fetched_[chunk]) return ByteOrigin::registry;
    return at_start_[chunk] ? ByteOrigin::store : ByteOrigin::swarm;
}

Digest digest_of_sha256(const Sha256& hash)
{
    return Digest::of_hash(
        DigestAlgorithm::sha256, {reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()}
    );
}

std::optional<Sha256> sha256_of_digest(const Digest& digest)
{
    if (digest.algorithm() != DigestAlgorithm::sha256) return std::nullopt;
    Sha256 hash;
    const auto hex = digest.hex();
    for (std::size_t at = 0; at < hash.bytes.size(); ++at) {
        hash.bytes[at] = static_cast<std::uint8_t>(hex_value(hex[2 * at]) * 16 + hex_value(hex[2 * at + 1]));
    }
    return hash;
}

}  // namespace entrepot
