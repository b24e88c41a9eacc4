#include "delivery/image_bundles.hpp"

#include "core/bytes.hpp"
#include "core/run_to_end.hpp"
#include "delivery/bundle_shelf.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/hex32.hpp"
#include "tests/support/swarm_images.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

namespace entrepot {
namespace {

std::string bytes_of(std::size_t size, char seed)
{
    std::string bytes(size, seed);
    for (std::size_t i = 0; i < size; i += 97) bytes[i] = static_cast<char>(i / 97 + static_cast<unsigned char>(seed));
    return bytes;
}

class ImageBundlesTest : public testing::Test, protected SwarmImages {
protected:
    ~ImageBundlesTest() override
    {
        (void)run_to_end(drained(*bundles));
        pool.join();
    }
    static Task<> drained(ImageBundles& which)
    {
        co_await which.drain();
        co_return Result<>{};
    }

    Result<ImageBundlePtr> load(Digest digest) { return load(std::move(digest), here); }
    Result<ImageBundlePtr> load(Digest digest, RepositoryName from)
    {
        return run_to_end(bundles->load(std::move(from), std::move(digest)));
    }
    static Errc code_of(const Result<ImageBundlePtr>& result) { return result ? Errc::gone : result.error().code(); }
    // Forgets all that it remembers, as another instance would not know it.
    void restart()
    {
        (void)run_to_end(drained(*bundles));
        bundles = std::make_unique<ImageBundles>(manifests, links, blobs, chunks, pool);
    }

    asio::thread_pool pool{2};
    std::unique_ptr<ImageBundles> bundles = std::make_unique<ImageBundles>(manifests, links, blobs, chunks, pool);
    const std::string large = bytes_of(2'600'000, 'l');
    const std::string small = bytes_of(300, 's');
};

TEST_F(ImageBundlesTest, describe_config_and_layers_each_once_and_list_the_hashes_of_their_chunks)
{
    const auto config = blob("{}");
    const auto layer = blob(large);
    const auto digest = manifest(config, {layer, blob(small), layer, blob("")});
    const auto bundle = load(digest);
    ASSERT_TRUE(bundle);
    const auto& descriptor = (*bundle)->descriptor;
    ASSERT_EQ(descriptor.blobs().size(), 4U);
    EXPECT_EQ(hex_of(descriptor.manifest()), digest.hex());
    EXPECT_EQ(hex_of(descriptor.blobs()[0].digest), digest_of("{}").hex());
    EXPECT_EQ(hex_of(descriptor.blobs()[1].digest), digest_of(large).hex());
    EXPECT_EQ(hex_of(descriptor.blobs()[2].digest), digest_of(small).hex());
    EXPECT_EQ(descriptor.blobs()[3].size, 0U);
    EXPECT_EQ(descriptor.platform(), "");
    EXPECT_EQ(descriptor.layout().chunks_of_piece(), PieceLayout::chunks_of_piece_for(large.size() + small.size() + 2));
    EXPECT_EQ((*bundle)->repository_id, 1);
    const auto list = parse_hash_list(as_bytes((*bundle)->hashes));
    ASSERT_TRUE(list);
    ASSERT_EQ(list->size(), descriptor.layout().chunks());
    for (std::size_t i = 0; i < 4; ++i) {
        const auto span = descriptor.chunks_of(i);
        const auto from = list->begin() + span.first;
        EXPECT_TRUE(ChunkVerifier::of(descriptor.blobs()[i], {from, from + span.count}));
    }
    EXPECT_EQ(bundles->find(descriptor.id()), *bundle);
    EXPECT_EQ(bundles->find(SwarmId{}), nullptr);
}

TEST_F(ImageBundlesTest, read_each_blob_once_however_many_ask)
{
    const auto one = manifest(blob("{}"), {blob(large), blob(small)});
    const auto other = manifest(blob("{ }"), {blob(large)});
    asio::io_context loop;
    std::vector<ImageBundlePtr> got;
    const auto ask = [](ImageBundles& from, RepositoryName repository, Digest digest, auto& into
                     ) -> asio::awaitable<void> {
        auto bundle = co_await from.load(std::move(repository), std::move(digest));
        into.push_back(bundle ? *bundle : nullptr);
    };
    for (int i = 0; i < 10; ++i)
        asio::co_spawn(loop, ask(*bundles, here, i % 2 == 0 ? one : other, got), asio::detached);
    loop.run();
    ASSERT_EQ(got.size(), 10U);
    for (const auto& bundle : got) EXPECT_NE(bundle, nullptr);
    EXPECT_EQ(blobs.opened[digest_of(large)], 1);
    EXPECT_EQ(blobs.opened[digest_of(small)], 1);
    EXPECT_EQ(chunks.stored.size(), 4U);
}

TEST_F(ImageBundlesTest, come_from_the_catalog_where_blobs_were_hashed_before)
{
    const auto digest = manifest(blob("{}"), {blob(large)});
    const auto first = load(digest);
    ASSERT_TRUE(first);
    restart();
    blobs.opened.clear();
    const auto again = load(digest);
    ASSERT_TRUE(again);
    EXPECT_TRUE(blobs.opened.empty());
    EXPECT_EQ((*again)->descriptor.bytes(), (*first)->descriptor.bytes());
    EXPECT_EQ((*again)->hashes, (*first)->hashes);
}

TEST_F(ImageBundlesTest, are_given_also_when_their_hashes_can_not_be_kept)
{
    chunks.full = true;
    EXPECT_TRUE(load(manifest(blob("{}"), {blob(large)})));
    EXPECT_TRUE(chunks.stored.empty());
}

TEST_F(ImageBundlesTest, are_asked_of_the_repository_that_has_the_manifest)
{
    const auto config = blob("{}");
    const auto layer = blob(large);
    const auto digest = manifest(config, {layer});
    ASSERT_TRUE(load(digest));
    EXPECT_EQ(code_of(load(digest, there)), Errc::manifest_unknown) << "although it is in memory";
    manifest(config, {layer}, there);
    const auto second = load(digest, there);
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->repository_id, 2);
    EXPECT_EQ(bundles->find((*second)->descriptor.id())->repository_id, 2);
    EXPECT_EQ(load(digest).value()->repository_id, 1);
    EXPECT_EQ(blobs.opened[digest_of(large)], 1);
}

TEST_F(ImageBundlesTest, are_not_given_to_who_names_blobs_that_its_repository_does_not_hold)
{
    const auto config = blob("{}");
    const auto secret = blob(large, {there});
    const auto digest = manifest(config, {secret}, there);
    ASSERT_TRUE(load(digest, there));
    manifest(config, {secret}, here);
    EXPECT_EQ(code_of(load(digest, here)), Errc::blob_unknown);
    links.linked[{here.text(), digest_of(large)}] = large.size();
    EXPECT_TRUE(load(digest, here)) << "once it has come";
}

TEST_F(ImageBundlesTest, are_only_of_images_that_a_descriptor_can_describe)
{
    const auto config = blob("{}");
    const auto unsupported = [&](const Digest& digest) { return code_of(load(digest)) == Errc::unsupported; };
    const auto child = manifest(config, {});
    ASSERT_TRUE(load(child));
    const auto index = R"({"schemaVersion":2,"manifests":[{"mediaType":")" + std::string{media::oci_manifest} +
                       R"(","digest":")" + child.text() + R"(","size":2}]})";
    EXPECT_TRUE(unsupported(put(std::string{media::oci_index}, index, here)));
    EXPECT_TRUE(unsupported(put("application/vnd.example", "anything", here)));
    const auto longer = digest_of(small, DigestAlgorithm::sha512);
    EXPECT_TRUE(unsupported(manifest(config, {descriptor_of(longer.text(), small.size())})));
    EXPECT_TRUE(unsupported(longer));
    const auto away = descriptor_of(digest_of("away").text(), 4, R"(,"urls":["https://example.com/away"])");
    EXPECT_TRUE(unsupported(manifest(config, {away})));
    const auto huge = digest_of("huge");
    const auto size = std::size_t{513} << 30U;
    links.linked[{here.text(), huge}] = size;
    EXPECT_TRUE(unsupported(manifest(config, {descriptor_of(huge.text(), size)})));
    const auto other_size = blob(small);
    EXPECT_TRUE(unsupported(manifest(config, {descriptor_of(digest_of(small).text(), small.size() + 1)})));
    EXPECT_TRUE(load(manifest(config, {other_size})));
}

TEST_F(ImageBundlesTest, have_foreign_layers_that_are_here)
{
    blob(large);
    const auto layer = descriptor_of(digest_of(large).text(), large.size(), R"(,"urls":["https://example.com/layer"])");
    EXPECT_TRUE(load(manifest(blob("{}"), {layer})));
}

TEST_F(ImageBundlesTest, are_not_made_of_damaged_bytes)
{
    const auto digest = manifest(blob("{}"), {blob(large)});
    auto& bytes = blobs.stored.at(digest_of(large));
    bytes.back() ^= 1;
    EXPECT_EQ(code_of(load(digest)), Errc::corrupt);
    bytes.pop_back();
    EXPECT_EQ(code_of(load(digest)), Errc::corrupt);
    blobs.stored.erase(digest_of(large));
    EXPECT_EQ(code_of(load(digest)), Errc::blob_unknown);
    EXPECT_FALSE(chunks.stored.contains(digest_of(large)));
    blobs.stored.insert_or_assign(digest_of(large), large);
    ASSERT_TRUE(load(digest)) << "a failure is not remembered";
    chunks.stored.at(digest_of(large)).hashes.front() ^= 1;
    restart();
    EXPECT_EQ(code_of(load(digest)), Errc::corrupt);
}

TEST_F(ImageBundlesTest, are_not_begun_once_they_are_drained)
{
    const auto digest = manifest(blob("{}"), {blob(large)});
    (void)run_to_end(drained(*bundles));
    EXPECT_EQ(code_of(load(digest)), Errc::unavailable);
}

// An image of one blob with as many chunks.
ImageBundlePtr bundle_of(char seed, std::uint32_t count)
{
    ChunkHashes hashes;
    const std::string bytes(chunk_bytes * count, seed);
    EXPECT_TRUE(hashes.update(as_bytes(bytes)));
    auto hashed = std::move(hashes).finish();
    ImageContent content{.manifest = {}, .platform = {}, .chunks_of_piece = 1, .blobs = {hashed.blob}};
    content.manifest.bytes[0] = static_cast<std::uint8_t>(seed);
    return std::make_shared<const ImageBundle>(
        ImageBundle{.descriptor = ImageDescriptor::of(content).value(), .hashes = encode_hash_list(hashed.chunks)}
    );
}

StoredManifest place(char seed, std::int64_t repository_id)
{
    return {
        .digest = digest_of(std::string(1, seed)),
        .media_type = {},
        .bytes = {},
        .id = 1,
        .repository_id = repository_id
    };
}

TEST(BundleShelfTest, keeps_those_that_were_asked_for_last_up_to_its_bound)
{
    const auto one = bundle_of('1', 2);
    const auto two = bundle_of('2', 2);
    const auto three = bundle_of('3', 2);
    BundleShelf shelf{2 * (one->hashes.size() + one->descriptor.bytes().size())};
    shelf.put(place('1', 7), one);
    shelf.put(place('2', 7), two);
    EXPECT_NE(shelf.find(one->descriptor.id()), nullptr);
    shelf.put(place('3', 7), three);
    EXPECT_NE(shelf.find(one->descriptor.id()), nullptr);
    EXPECT_EQ(shelf.find(two->descriptor.id()), nullptr);
    EXPECT_FALSE(shelf.find(place('2', 7)));
    const auto large = bundle_of('4', 64);
    shelf.put(place('4', 7), large);
    EXPECT_NE(shelf.find(large->descriptor.id()), nullptr) << "the last one is there whatever it has";
    EXPECT_EQ(shelf.find(one->descriptor.id()), nullptr);
    shelf.put(place('1', 7), one);
    EXPECT_EQ(shelf.find(large->descriptor.id()), nullptr);
}

TEST(BundleShelfTest, knows_in_which_repositories_an_image_is_whole)
{
    BundleShelf shelf{1'000'000};
    EXPECT_FALSE(shelf.find(place('1', 7)));
    EXPECT_EQ(shelf.put(place('1', 7), bundle_of('1', 1))->repository_id, 7);
    EXPECT_TRUE(shelf.find(place('1', 7))->is_whole);
    EXPECT_FALSE(shelf.find(place('1', 8))->is_whole);
}

}  // namespace
}  // namespace entrepot
