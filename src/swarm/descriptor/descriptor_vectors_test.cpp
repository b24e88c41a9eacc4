// docs/formats/swarm-descriptor-vectors.txt, which another implementation has made.
#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/descriptor/chunk_tree.hpp"
#include "swarm/descriptor/image_descriptor.hpp"
#include "swarm/test_vectors.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::vector<TestVector> vectors_of(std::string_view kind)
{
    auto all = read_vectors("swarm-descriptor-vectors.txt");
    std::erase_if(all, [&](const TestVector& vector) { return vector.kind != kind; });
    EXPECT_FALSE(all.empty()) << kind;
    return all;
}

std::string bytes_of_blob(std::uint64_t size)
{
    std::string bytes;
    bytes.reserve(size);
    for (std::uint64_t at = 0; at < size; ++at) bytes.push_back(static_cast<char>((at + at / 251) & 0xffU));
    return bytes;
}

std::uint64_t number(std::string_view bytes)
{
    std::uint64_t value = 0;
    for (std::size_t at = 8; at-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes[at]);
    return value;
}

std::vector<Sha256> hashes(std::string_view bytes)
{
    return parse_hash_list(as_bytes(bytes)).value();
}

std::vector<Sha256> seven_leaves()
{
    std::vector<Sha256> leaves;
    for (char at = 0; at < 7; ++at) leaves.push_back(sha256_of(as_bytes({&at, 1})));
    return leaves;
}

TEST(DescriptorVectors, OfBlobs)
{
    for (const auto& vector : vectors_of("blob")) {
        SCOPED_TRACE(vector.name);
        const auto list = hashes(std::string_view{vector.bytes}.substr(8));
        ChunkHashes builder;
        const auto bytes = bytes_of_blob(number(vector.bytes));
        ASSERT_TRUE(builder.update(as_bytes(bytes)));
        const auto found = std::move(builder).finish();
        EXPECT_EQ(found.blob.size, bytes.size());
        EXPECT_EQ(found.blob.digest, list[0]);
        EXPECT_EQ(found.blob.chunk_root, list[1]);
        EXPECT_EQ(found.chunks, std::vector(list.begin() + 2, list.end()));
    }
}

TEST(DescriptorVectors, OfRootsAndProofs)
{
    const auto leaves = seven_leaves();
    for (const auto& vector : vectors_of("root")) {
        const auto count = static_cast<std::size_t>(vector.name.back() - '0');
        EXPECT_EQ(chunk_root_of(std::span{leaves}.first(count)), hashes(vector.bytes)[0]) << vector.name;
    }
    for (const auto& vector : vectors_of("proof")) {
        SCOPED_TRACE(vector.name);
        const auto first = static_cast<std::uint32_t>(vector.name[3] - '0');
        const auto last = static_cast<std::uint32_t>(vector.name[8] - '0');
        EXPECT_EQ(prove_chunk_run(leaves, first, last - first + 1).value(), hashes(vector.bytes));
    }
}

TEST(DescriptorVectors, OfDescriptors)
{
    std::map<std::string, std::string> swarms;
    for (const auto& vector : vectors_of("swarm")) swarms[vector.name] = vector.bytes;
    for (const auto& vector : vectors_of("descriptor")) {
        SCOPED_TRACE(vector.name);
        const auto read = ImageDescriptor::parse(as_bytes(vector.bytes));
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->bytes(), vector.bytes);
        EXPECT_EQ(as_text(as_bytes(read->id())), swarms.at(vector.name));
    }
}

TEST(DescriptorVectors, OfWhatIsRefused)
{
    for (const auto& vector : vectors_of("refused")) {
        SCOPED_TRACE(vector.name);
        const auto read = ImageDescriptor::parse(as_bytes(vector.bytes));
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().message(), vector.name);
    }
}

TEST(DescriptorVectors, AreRefusedWhereverTheyEndEarly)
{
    for (const auto& vector : vectors_of("descriptor")) {
        for (std::size_t size = 0; size < vector.bytes.size(); ++size)
            EXPECT_FALSE(ImageDescriptor::parse(as_bytes(vector.bytes).first(size))) << vector.name << ' ' << size;
    }
}

}  // namespace
}  // namespace entrepot
