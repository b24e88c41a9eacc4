// Descriptors of images and what is checked against them: what can be read has no other form, and a list, a run or a
// chunk that differs from the real one in anything is refused.
#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/descriptor/chunk_tree.hpp"
#include "swarm/descriptor/image_descriptor.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace entrepot;
using Input = std::span<const std::byte>;

void demand(bool holds)
{
    if (!holds) std::abort();
}

unsigned take_byte(Input& input)
{
    if (input.empty()) return 0;
    const auto byte = std::to_integer<unsigned>(input.front());
    input = input.subspan(1);
    return byte;
}

void check_descriptor(Input bytes)
{
    const auto image = ImageDescriptor::parse(bytes);
    if (!image) {
        demand(image.error().code() == Errc::bad_request || image.error().code() == Errc::size_invalid);
        return;
    }
    demand(as_text(bytes) == image->bytes() && bytes.size() <= ImageDescriptor::most_bytes);
    demand(image->id().bytes == sha256_of(bytes).bytes);
    const auto blobs = image->blobs();
    std::uint32_t chunks = 0;
    for (std::size_t at = 0; at < blobs.size(); ++at) {
        const auto span = image->chunks_of(at);
        demand(span.first == chunks && span.count == chunk_count(blobs[at].size));
        demand(image->find(blobs[at].digest) == at);
        chunks += span.count;
    }
    demand(chunks == image->layout().chunks() && chunks <= most_listed_chunks);
    demand(ImageDescriptor::parse_of(image->id(), bytes).has_value());
}

// The input as a list of hashes, a run of it and a proof that anybody may have made.
void check_tree(Input input)
{
    const auto first = take_byte(input);
    const auto count = take_byte(input);
    const auto proof_bytes = std::min<std::size_t>(take_byte(input) % 32 * 32, input.size());
    const auto claimed = parse_hash_list(input.first(proof_bytes / 32 * 32)).value();
    input = input.subspan(proof_bytes);
    auto hashes = parse_hash_list(input.first(std::min<std::size_t>(input.size() / 32, 256) * 32)).value();
    demand(encode_hash_list(hashes) == as_text(input.first(hashes.size() * 32)));
    const auto root = chunk_root_of(hashes);
    const auto chunks = static_cast<std::uint32_t>(hashes.size());
    const auto proof = prove_chunk_run(hashes, first, count);
    demand(proof.has_value() == (count != 0 && first + count <= chunks));
    if (!proof) return;
    const auto run = std::span{hashes}.subspan(first, count);
    demand(check_chunk_run(root, chunks, first, run, *proof).has_value());
    demand(check_chunk_run(root, chunks, first, run, claimed).has_value() == (claimed == *proof));
    hashes[first].bytes[count % 32] ^= 1U;
    demand(!check_chunk_run(root, chunks, first, run, *proof));
}

void check_chunks(Input input)
{
    const auto step = take_byte(input) * 16 + 1;
    // Long enough for two chunks: the input, again and again.
    std::vector<std::byte> bytes(input.empty() ? 0 : chunk_bytes + input.size());
    for (std::size_t at = 0; at < bytes.size(); at += input.size())
        std::memcpy(bytes.data() + at, input.data(), std::min(input.size(), bytes.size() - at));
    ChunkHashes hashes;
    for (Input rest = bytes; !rest.empty();) {
        const auto part = rest.first(std::min<std::size_t>(step * 64, rest.size()));
        demand(hashes.update(part).has_value());
        rest = rest.subspan(part.size());
    }
    auto blob = std::move(hashes).finish();
    demand(blob.blob.digest == sha256_of(bytes) && blob.blob.size == bytes.size());
    const auto verifier = ChunkVerifier::of(blob.blob, blob.chunks);
    demand(verifier.has_value());
    for (std::uint32_t chunk = 0; chunk < verifier->chunks(); ++chunk) {
        const auto real = Input{bytes}.subspan(chunk * chunk_bytes, chunk_size(bytes.size(), chunk));
        demand(verifier->verify(chunk, real).has_value());
        demand(!verifier->verify(chunk, real.first(real.size() - 1)));
    }
    if (!blob.chunks.empty()) blob.chunks.pop_back();
    demand(ChunkVerifier::of(blob.blob, blob.chunks).has_value() == bytes.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const auto input = std::as_bytes(std::span{data, size});
    if (input.empty()) return 0;
    const auto kind = std::to_integer<unsigned>(input.front());
    const auto rest = input.subspan(1);
    // Hashing a chunk takes longer than all else: one kind in 256.
    if (kind == 0xff) {
        check_chunks(rest);
    } else if (kind % 4 == 1) {
        check_tree(rest);
    } else {
        check_descriptor(rest);
    }
    return 0;
}
