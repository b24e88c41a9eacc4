#include "swarm/descriptor/image_descriptor.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_tree.hpp"
#include "swarm/wire/field_io.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace entrepot {
namespace {

constexpr std::uint32_t magic = 0x44495045;  // "EPID", little-endian
constexpr std::uint16_t version = 1;
constexpr std::size_t blob_bytes = 32 + 8 + 32;

// The one list of fields, which both writes and reads.
template <class Io>
void fields(Io& io, typename Io::template Ref<ImageContent> content)
{
    auto head = magic;
    io.number("magic", head, magic, magic);
    auto spoken = version;
    io.number("version", spoken, version, version);
    io.bytes32("manifest", content.manifest);
    io.template text<std::uint8_t>("platform", content.platform, ImageDescriptor::most_platform_bytes);
    io.template narrow<std::uint8_t>("chunks of a piece", content.chunks_of_piece, 1, most_chunks_of_piece);
    io.template list<std::uint16_t>(
        "blobs",
        content.blobs,
        1,
        ImageDescriptor::most_blobs,
        blob_bytes,
        [&io](auto& blob) {
            io.bytes32("digest", blob.digest);
            io.number("size", blob.size);
            io.bytes32("chunk root", blob.chunk_root);
        }
    );
}

bool is_platform(std::string_view text) noexcept
{
    return text.size() <= ImageDescriptor::most_platform_bytes &&
           std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// Of a blob that is one chunk, that chunk's hash is the blob's digest; so the root can't be another.
Result<> check_small(const DescribedBlob& blob)
{
    if (blob.size > chunk_bytes) return {};
    const std::span chunks{&blob.digest, blob.size == 0 ? 0U : 1U};
    if (blob.chunk_root != chunk_root_of(chunks))
        return fail(Errc::bad_request, "descriptor: chunk root: not what follows from the digest");
    if (blob.size == 0 && blob.digest != sha256_of({}))
        return fail(Errc::bad_request, "descriptor: digest: not that of an empty blob");
    return {};
}

Result<> check(const ImageContent& content)
{
    if (!is_platform(content.platform))
        return fail(Errc::bad_request, "descriptor: platform: at most 128 characters of ASCII without blanks");
    if (content.blobs.empty()) return fail(Errc::bad_request, "descriptor: blobs: too few");
    if (content.blobs.size() > ImageDescriptor::most_blobs)
        return fail(Errc::bad_request, "descriptor: blobs: too many");
    std::vector<Sha256> digests;
    digests.reserve(content.blobs.size());
    for (const auto& blob : content.blobs) {
        CHECK(check_small(blob));
        digests.push_back(blob.digest);
    }
    std::ranges::sort(digests);
    if (std::ranges::adjacent_find(digests) != digests.end())
        return fail(Errc::bad_request, "descriptor: blobs: one of them twice");
    return {};
}

Result<PieceLayout> layout_of(const ImageContent& content)
{
    std::vector<std::uint64_t> sizes;
    sizes.reserve(content.blobs.size());
    for (const auto& blob : content.blobs) sizes.push_back(blob.size);
    TRY(auto layout, PieceLayout::of(sizes, content.chunks_of_piece));
    if (layout.chunks() > most_listed_chunks) return fail(Errc::size_invalid, "the image is too large for a swarm");
    return layout;
}

}  // namespace

ImageDescriptor::ImageDescriptor(ImageContent content, PieceLayout layout)
    : content_{std::move(content)}, layout_{std::move(layout)}, by_digest_(content_.blobs.size())
{
    chunks_.reserve(content_.blobs.size());
    ChunkIndex first = 0;
    for (const auto& blob : content_.blobs) {
        const auto count = static_cast<std::uint32_t>(chunk_count(blob.size));
        chunks_.push_back({.first = first, .count = count});
        first += count;
    }
    std::iota(by_digest_.begin(), by_digest_.end(), 0U);
    std::ranges::sort(by_digest_, {}, [this](std::uint32_t blob) -> const Sha256& {
        return content_.blobs[blob].digest;
    });
    FieldWriter writer{bytes_};
    fields(writer, content_);
    id_.bytes = sha256_of(as_bytes(bytes_)).bytes;
}

Result<ImageDescriptor> ImageDescriptor::of(ImageContent content)
{
    CHECK(check(content));
    TRY(auto layout, layout_of(content));
    return ImageDescriptor{std::move(content), std::move(layout)};
}

Result<ImageDescriptor> ImageDescriptor::parse(std::span<const std::byte> bytes)
{
    ImageContent content;
    FieldReader reader{bytes};
    fields(reader, content);
    reader.end("descriptor");
    if (reader.failed()) return std::unexpected{reader.error("descriptor")};
    return of(std::move(content));
}

Result<ImageDescriptor> ImageDescriptor::parse_of(const SwarmId& swarm, std::span<const std::byte> bytes)
{
    if (bytes.size() > most_bytes || sha256_of(bytes).bytes != swarm.bytes)
        return fail(Errc::digest_mismatch, "the descriptor is not that of the swarm");
    return parse(bytes);
}

Result<ChunkPlace> ImageDescriptor::place_of(ChunkIndex chunk) const
{
    if (chunk >= layout_.chunks()) return fail(Errc::range_invalid, "the image has no such chunk");
    // The last blob that begins at or before it: those without bytes begin where the next does.
    const auto next = std::ranges::upper_bound(chunks_, chunk, {}, &ChunkSpan::first);
    const auto blob = static_cast<std::size_t>(next - chunks_.begin()) - 1;
    const auto within = chunk - chunks_[blob].first;
    return ChunkPlace{.blob = blob, .chunk = within, .offset = within * chunk_bytes};
}

std::optional<std::size_t> ImageDescriptor::find(const Sha256& digest) const noexcept
{
    const auto digest_of_blob = [this](std::uint32_t blob) -> const Sha256& { return content_.blobs[blob].digest; };
    const auto found = std::ranges::lower_bound(by_digest_, digest, {}, digest_of_blob);
    if (found == by_digest_.end() || digest_of_blob(*found) != digest) return std::nullopt;
    return *found;
}

}  // namespace entrepot
