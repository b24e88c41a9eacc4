#include "swarm/net/image_verifier.hpp"

#include "core/bytes.hpp"

#include <gtest/gtest.h>

namespace entrepot {
namespace {

class AnImage : public ::testing::Test {
protected:
    void SetUp() override
    {
        ImageContent content;
        for (const auto& bytes : blobs) {
            ChunkHashes hasher;
            ASSERT_TRUE(hasher.update(as_bytes(bytes)).has_value());
            auto hashed = std::move(hasher).finish();
            content.blobs.push_back(hashed.blob);
            hashes.insert(hashes.end(), hashed.chunks.begin(), hashed.chunks.end());
        }
        descriptor = ImageDescriptor::of(content).value();
    }

    const std::vector<std::string> blobs{std::string(600'000, 'a'), {}, std::string(10, 'b')};
    std::vector<Sha256> hashes;
    std::optional<ImageDescriptor> descriptor;
};

TEST_F(AnImage, KnowsItsChunks)
{
    const auto verifier = ImageVerifier::of(*descriptor, hashes).value();
    EXPECT_TRUE(verifier.verify(0, as_bytes(std::string_view{blobs[0]}.substr(0, chunk_bytes))).has_value());
    EXPECT_TRUE(verifier.verify(2, as_bytes(std::string_view{blobs[0]}.substr(2 * chunk_bytes))).has_value());
    EXPECT_TRUE(verifier.verify(3, as_bytes(blobs[2])).has_value());
    EXPECT_EQ(verifier.verify(3, as_bytes("cccccccccc")).error().code(), Errc::digest_mismatch);
    EXPECT_EQ(verifier.verify(3, as_bytes("b")).error().code(), Errc::size_invalid);
    EXPECT_EQ(verifier.verify(4, as_bytes("b")).error().code(), Errc::range_invalid);
}

TEST_F(AnImage, KnowsWhereTheyBelong)
{
    const auto verifier = ImageVerifier::of(*descriptor, hashes).value();
    const auto second = verifier.descriptor().place_of(1).value();
    EXPECT_EQ(second.blob, 0U);
    EXPECT_EQ(second.chunk, 1U);
    EXPECT_EQ(second.offset, chunk_bytes);
    const auto last = verifier.descriptor().place_of(3).value();
    EXPECT_EQ(last.blob, 2U);
    EXPECT_EQ(last.offset, 0U);
    EXPECT_EQ(verifier.descriptor().place_of(4).error().code(), Errc::range_invalid);
}

TEST_F(AnImage, TakesNoHashesOfAnother)
{
    auto fewer = hashes;
    fewer.pop_back();
    EXPECT_EQ(ImageVerifier::of(*descriptor, fewer).error().code(), Errc::size_invalid);
    auto other = hashes;
    other[1].bytes[0] ^= 1;
    EXPECT_EQ(ImageVerifier::of(*descriptor, other).error().code(), Errc::digest_mismatch);
}

}  // namespace
}  // namespace entrepot
