#include "delivery/seed_chunks.hpp"

#include "swarm/descriptor/described_blob.hpp"

#include <cstring>
#include <utility>

#include <unistd.h>

namespace entrepot {

namespace {

Result<> read_at(const OpenFile& file, std::uint64_t offset, std::span<std::byte> into)
{
    while (!into.empty()) {
        const auto count = ::pread(file.descriptor(), into.data(), into.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0)
            return fail(Errc::unavailable, "a blob can't be read", count < 0 ? std::strerror(errno) : "end");
        into = into.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Digest digest_of_blob(const DescribedBlob& blob)
{
    const auto* const raw = reinterpret_cast<const char*>(blob.digest.bytes.data());
    return Digest::of_hash(DigestAlgorithm::sha256, {raw, blob.digest.bytes.size()});
}

}  // namespace

void SeedChunks::add(ImageBundlePtr image)
{
    const auto id = image->descriptor.id();
    const auto blobs = image->descriptor.blobs().size();
    served_.insert_or_assign(id, Served{.image = std::move(image), .blobs{blobs}});
}

void SeedChunks::remove(const SwarmId& image)
{
    served_.erase(image);
}

Task<> SeedChunks::read(SwarmId id, ChunkIndex chunk, std::span<std::byte> into)
{
    auto served = served_.find(id);
    if (served == served_.end()) co_return fail(Errc::not_found, "the image isn't served any more");
    const auto image = served->second.image;
    CO_TRY(const auto place, image->descriptor.place_of(chunk));
    auto content = served->second.blobs[place.blob];
    if (!content) {
        const auto digest = digest_of_blob(image->descriptor.blobs()[place.blob]);
        content = blobs_.peek(digest);
        if (!content) {
            CO_TRY(content, co_await blobs_.load(digest));
        }
        // It may have gone meanwhile.
        served = served_.find(id);
        if (served != served_.end()) served->second.blobs[place.blob] = content;
    }
    if (place.offset + into.size() > content->size) co_return fail(Errc::corrupt, "a blob is shorter than it was");
    if (content->bytes) {
        std::memcpy(into.data(), content->bytes->data() + place.offset, into.size());
        co_return Result<>{};
    }
    auto reading =
        offload(reading_, [file = content->file, place, into] { return read_at(*file, place.offset, into); });
    co_return co_await std::move(reading);
}

}  // namespace entrepot
