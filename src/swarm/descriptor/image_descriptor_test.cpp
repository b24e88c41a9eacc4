#include "swarm/descriptor/image_descriptor.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/descriptor/chunk_tree.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string pattern(std::size_t size, std::size_t seed)
{
    std::string bytes(size, '\0');
    for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>((at * 31 + at / 509 + seed) & 0xffU);
    return bytes;
}

HashedBlob hashed(std::string_view bytes)
{
    ChunkHashes hashes;
    EXPECT_TRUE(hashes.update(as_bytes(bytes)));
    return std::move(hashes).finish();
}

std::vector<Sha256> leaves(std::uint32_t count)
{
    std::vector<Sha256> list;
    for (std::uint32_t at = 0; at < count; ++at) list.push_back(sha256_of(as_bytes(std::to_string(at))));
    return list;
}

ImageContent content()
{
    return {
        .manifest = sha256_of(as_bytes("manifest")),
        .platform = "linux/amd64",
        .chunks_of_piece = 2,
        .blobs =
            {hashed(pattern(700, 1)).blob,
             hashed(pattern(3 * chunk_bytes + 1, 2)).blob,
             hashed("").blob,
             hashed(pattern(chunk_bytes, 3)).blob},
    };
}

Errc refusal(ImageContent wrong)
{
    const auto made = ImageDescriptor::of(std::move(wrong));
    return made ? Errc::internal : made.error().code();
}

TEST(ChunkHashes, AreTheSameHoweverTheBytesCome)
{
    const auto bytes = pattern(2 * chunk_bytes + 77, 5);
    const auto whole = hashed(bytes);
    for (const std::size_t step : {std::size_t{1000}, std::size_t{chunk_bytes - 1}, std::size_t{chunk_bytes + 1}}) {
        ChunkHashes hashes;
        for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(step, rest.size())))
            ASSERT_TRUE(hashes.update(as_bytes(rest.substr(0, step))));
        const auto parts = std::move(hashes).finish();
        EXPECT_EQ(parts.blob, whole.blob) << step;
        EXPECT_EQ(parts.chunks, whole.chunks) << step;
    }
    EXPECT_EQ(whole.blob.digest, sha256_of(as_bytes(bytes)));
}

TEST(ChunkTree, ProvesEveryRunOfEveryShape)
{
    for (std::uint32_t count = 1; count <= 17; ++count) {
        const auto list = leaves(count);
        const auto root = chunk_root_of(list);
        for (std::uint32_t first = 0; first < count; ++first) {
            for (std::uint32_t size = 1; size <= count - first; ++size) {
                SCOPED_TRACE(testing::Message() << first << '+' << size << " of " << count);
                const auto proof = prove_chunk_run(list, first, size).value();
                const auto run = std::span{list}.subspan(first, size);
                EXPECT_TRUE(check_chunk_run(root, count, first, run, proof));
                EXPECT_LE(proof.size(), 2 * static_cast<unsigned>(std::bit_width(count)));
            }
        }
    }
}

TEST(ChunkTree, RefusesAnyOtherHashPlaceOrProof)
{
    constexpr std::uint32_t count = 13;
    const auto list = leaves(count);
    const auto root = chunk_root_of(list);
    const auto proof = prove_chunk_run(list, 4, 3).value();
    const std::vector run(list.begin() + 4, list.begin() + 7);
    ASSERT_TRUE(check_chunk_run(root, count, 4, run, proof));
    for (std::size_t at = 0; at < run.size(); ++at) {
        auto other = run;
        other[at].bytes[31] ^= 1U;
        EXPECT_FALSE(check_chunk_run(root, count, 4, other, proof));
    }
    for (std::size_t at = 0; at < proof.size(); ++at) {
        auto other = proof;
        other[at].bytes[0] ^= 0x80U;
        EXPECT_FALSE(check_chunk_run(root, count, 4, run, other));
    }
    EXPECT_FALSE(check_chunk_run(root, count, 5, run, proof));
    EXPECT_FALSE(check_chunk_run(root, count, 3, run, proof));
    auto longer = proof;
    longer.push_back({});
    EXPECT_FALSE(check_chunk_run(root, count, 4, run, longer));
    EXPECT_FALSE(check_chunk_run(root, count, 4, run, std::span{proof}.first(proof.size() - 1)));
    EXPECT_EQ(check_chunk_run(root, count, 11, run, proof).error().code(), Errc::range_invalid);
    EXPECT_EQ(check_chunk_run(root, count, ~0U, run, proof).error().code(), Errc::range_invalid);
    EXPECT_EQ(check_chunk_run(root, count, 4, {}, proof).error().code(), Errc::range_invalid);
    EXPECT_EQ(prove_chunk_run(list, 12, 2).error().code(), Errc::range_invalid);
    EXPECT_EQ(prove_chunk_run({}, 0, 1).error().code(), Errc::range_invalid);
}

TEST(ChunkTree, TakesNoNodeForALeaf)
{
    const auto list = leaves(4);
    const std::vector halves{chunk_root_of(std::span{list}.first(2)), chunk_root_of(std::span{list}.subspan(2))};
    EXPECT_NE(chunk_root_of(halves), chunk_root_of(list));
    EXPECT_NE(chunk_root_of(std::span{list}.first(1)), list[0]);
}

TEST(ChunkVerifier, KnowsEachChunkByItsBytes)
{
    const auto bytes = pattern(2 * chunk_bytes + 9, 7);
    const auto blob = hashed(bytes);
    const auto verifier = ChunkVerifier::of(blob.blob, blob.chunks).value();
    ASSERT_EQ(verifier.chunks(), 3U);
    const auto chunk = [&bytes](std::size_t at) { return bytes.substr(at * chunk_bytes, chunk_bytes); };
    for (std::uint32_t at = 0; at < 3; ++at) EXPECT_TRUE(verifier.verify(at, as_bytes(chunk(at))));
    auto other = chunk(2);
    other[8] ^= 1;
    EXPECT_EQ(verifier.verify(2, as_bytes(other)).error().code(), Errc::digest_mismatch);
    EXPECT_EQ(verifier.verify(1, as_bytes(chunk(0))).error().code(), Errc::digest_mismatch);
    EXPECT_EQ(verifier.verify(2, as_bytes(chunk(0))).error().code(), Errc::size_invalid);
    EXPECT_EQ(verifier.verify(0, {}).error().code(), Errc::size_invalid);
    EXPECT_EQ(verifier.verify(3, as_bytes(chunk(0))).error().code(), Errc::range_invalid);
}

TEST(ChunkVerifier, TakesNoOtherList)
{
    const auto blob = hashed(pattern(2 * chunk_bytes + 9, 7));
    auto list = blob.chunks;
    std::swap(list[0], list[1]);
    EXPECT_EQ(ChunkVerifier::of(blob.blob, list).error().code(), Errc::digest_mismatch);
    list = blob.chunks;
    list.pop_back();
    EXPECT_EQ(ChunkVerifier::of(blob.blob, list).error().code(), Errc::size_invalid);
    EXPECT_TRUE(ChunkVerifier::of(hashed("").blob, {}));
}

TEST(HashList, IsReadAsItWasWritten)
{
    const auto list = leaves(5);
    const auto bytes = encode_hash_list(list);
    EXPECT_EQ(bytes.size(), 160U);
    EXPECT_EQ(parse_hash_list(as_bytes(bytes)).value(), list);
    EXPECT_TRUE(parse_hash_list({}).value().empty());
    EXPECT_EQ(parse_hash_list(as_bytes(bytes).first(159)).error().code(), Errc::size_invalid);
    const std::vector<std::byte> beyond((std::size_t{most_listed_chunks} + 1) * 32);
    EXPECT_EQ(parse_hash_list(beyond).error().code(), Errc::size_invalid);
    EXPECT_TRUE(parse_hash_list(std::span{beyond}.first(beyond.size() - 32)));
}

TEST(ImageDescriptor, SaysWhatItWasMadeOf)
{
    const auto image = ImageDescriptor::of(content()).value();
    EXPECT_EQ(image.platform(), "linux/amd64");
    EXPECT_EQ(image.manifest(), content().manifest);
    EXPECT_EQ(image.layout().chunks(), 6U);
    EXPECT_EQ(image.layout().pieces(), 4U);
    EXPECT_EQ(image.chunks_of(1), (ChunkSpan{1, 4}));
    EXPECT_EQ(image.chunks_of(2), (ChunkSpan{5, 0}));
    EXPECT_EQ(image.chunks_of(3), (ChunkSpan{5, 1}));
    for (std::size_t at = 0; at < image.blobs().size(); ++at) EXPECT_EQ(image.find(image.blobs()[at].digest), at);
    EXPECT_FALSE(image.find(sha256_of(as_bytes("another"))));
    EXPECT_EQ(sha256_of(as_bytes(image.bytes())).bytes, image.id().bytes);
}

TEST(ImageDescriptor, HasAnotherNameForEachDifference)
{
    const auto image = ImageDescriptor::of(content()).value();
    auto other = content();
    other.platform = "linux/arm64";
    EXPECT_NE(ImageDescriptor::of(other)->id(), image.id());
    other = content();
    std::swap(other.blobs[0], other.blobs[1]);
    EXPECT_NE(ImageDescriptor::of(other)->id(), image.id());
    other = content();
    other.chunks_of_piece = 4;
    EXPECT_NE(ImageDescriptor::of(other)->id(), image.id());
}

TEST(ImageDescriptor, IsReadOnlyForItsOwnSwarm)
{
    const auto image = ImageDescriptor::of(content()).value();
    const auto read = ImageDescriptor::parse_of(image.id(), as_bytes(image.bytes()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->id(), image.id());
    auto other = image.id();
    other.bytes[5] ^= 1U;
    EXPECT_EQ(ImageDescriptor::parse_of(other, as_bytes(image.bytes())).error().code(), Errc::digest_mismatch);
    auto changed = image.bytes();
    changed[20] ^= 1;
    EXPECT_EQ(ImageDescriptor::parse_of(image.id(), as_bytes(changed)).error().code(), Errc::digest_mismatch);
}

TEST(ImageDescriptor, RefusesWhatCannotBe)
{
    auto wrong = content();
    wrong.blobs.clear();
    EXPECT_EQ(refusal(wrong), Errc::bad_request);
    wrong = content();
    wrong.blobs.push_back(wrong.blobs.front());
    EXPECT_EQ(refusal(wrong), Errc::bad_request);
    wrong = content();
    wrong.blobs[0].chunk_root.bytes[0] ^= 1U;
    EXPECT_EQ(refusal(wrong), Errc::bad_request);
    wrong = content();
    wrong.platform = "lin\nux";
    EXPECT_EQ(refusal(wrong), Errc::bad_request);
    wrong = content();
    wrong.platform = std::string(129, 'x');
    EXPECT_EQ(refusal(wrong), Errc::bad_request);
    wrong = content();
    wrong.chunks_of_piece = 6;
    EXPECT_EQ(refusal(wrong), Errc::size_invalid);
    wrong = content();
    wrong.blobs[1].size = ~std::uint64_t{0};
    EXPECT_EQ(refusal(wrong), Errc::size_invalid);
    wrong = content();
    wrong.chunks_of_piece = 64;
    wrong.blobs[1].size = most_listed_chunks * chunk_bytes;
    EXPECT_EQ(refusal(wrong), Errc::size_invalid) << "with the others";
}

TEST(ImageDescriptor, HoldsAsManyBlobsAsItsBoundSays)
{
    ImageContent many{.manifest = {}, .platform = std::string(128, 'p'), .chunks_of_piece = 1, .blobs = {}};
    for (std::size_t at = 0; at < ImageDescriptor::most_blobs; ++at)
        many.blobs.push_back(hashed(std::to_string(at)).blob);
    const auto image = ImageDescriptor::of(many).value();
    EXPECT_EQ(image.bytes().size(), ImageDescriptor::most_bytes);
    EXPECT_TRUE(ImageDescriptor::parse_of(image.id(), as_bytes(image.bytes())));
    many.blobs.push_back(hashed("one more").blob);
    EXPECT_EQ(refusal(many), Errc::bad_request);
}

}  // namespace
}  // namespace entrepot
