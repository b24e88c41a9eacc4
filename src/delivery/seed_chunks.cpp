#include "delivery/seed_chunks.hpp"

#include "delivery/stored_bytes.hpp"

#include <cstring>
#include <utility>

namespace entrepot {

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
        const auto digest = named_by(image->descriptor.blobs()[place.blob].digest);
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
        offload(reading_, [file = content->file, place, into] { return read_blob_at(*file, place.offset, into); });
    CO_TRY(const auto count, co_await std::move(reading));
    if (count < into.size()) co_return fail(Errc::unavailable, "a blob can't be read", "end");
    co_return Result<>{};
}

}  // namespace entrepot
