#pragma once

#include "core/error.hpp"
#include "swarm/descriptor/described_blob.hpp"
#include "swarm/piece_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What an image's descriptor says, before anybody has looked at whether it can be.
struct ImageContent {
    Sha256 manifest{};                   // the digest of its manifest
    std::string platform{};              // as os/architecture[/variant]; empty where the image names none
    std::uint32_t chunks_of_piece = 1;   // 1, 2, 4, … 64
    std::vector<DescribedBlob> blobs{};  // in the order of config and layers, each once

    bool operator==(const ImageContent&) const = default;
};

// A place in an image: the chunk `chunk` of the blob `blob`, `offset` bytes from that blob's start.
struct ChunkPlace {
    std::size_t blob = 0;
    std::uint32_t chunk = 0;
    std::uint64_t offset = 0;
};

// What a swarm is about: which blobs make up one image of one platform, and how they are cut. Its bytes have one form
// only (docs/formats/swarm-descriptor.md), whose SHA-256 is the swarm's name: who has the name can check the
// descriptor, with it every list of hashes, and with these every chunk. Immutable; safe from any thread.
class ImageDescriptor {
public:
    static constexpr std::size_t most_blobs = 4096;
    static constexpr std::size_t most_platform_bytes = 128;
    // All that the two above and one byte of chunks per piece let it have.
    static constexpr std::size_t most_bytes = 6 + 32 + 1 + most_platform_bytes + 1 + 2 + most_blobs * 72;

    // bad_request: no blobs, too many, or one twice; a platform that is no short ASCII text without blanks; a blob of
    // at most one chunk whose chunk_root is not what follows from its digest. size_invalid: a cut or sizes beyond
    // PieceLayout's or most_listed_chunks.
    static Result<ImageDescriptor> of(ImageContent content);
    // Besides: bad_request for any bytes but those that of() would give.
    static Result<ImageDescriptor> parse(std::span<const std::byte> bytes);
    // From whomever, for a swarm that we know by name: digest_mismatch where it is another's, before anything is read.
    static Result<ImageDescriptor> parse_of(const SwarmId& swarm, std::span<const std::byte> bytes);

    const SwarmId& id() const noexcept { return id_; }
    const std::string& bytes() const noexcept { return bytes_; }
    const Sha256& manifest() const noexcept { return content_.manifest; }
    const std::string& platform() const noexcept { return content_.platform; }
    std::span<const DescribedBlob> blobs() const noexcept { return content_.blobs; }
    const PieceLayout& layout() const noexcept { return layout_; }

    // The chunks of a blob (below most_blobs and blobs().size()), numbered through the image, as in the wire's frames
    // and in the list of all hashes.
    ChunkSpan chunks_of(std::size_t blob) const noexcept { return chunks_[blob]; }
    // Of a chunk that is numbered through the image. range_invalid: there is none.
    Result<ChunkPlace> place_of(ChunkIndex chunk) const;
    // Which of the blobs has this digest: nullopt for one that no ticket to this swarm gives a right to.
    std::optional<std::size_t> find(const Sha256& digest) const noexcept;

private:
    ImageDescriptor(ImageContent content, PieceLayout layout);

    ImageContent content_;
    PieceLayout layout_;
    std::vector<ChunkSpan> chunks_;
    std::vector<std::uint32_t> by_digest_;  // numbers of blobs, in the order of their digests
    std::string bytes_;
    SwarmId id_;
};

}  // namespace entrepot
