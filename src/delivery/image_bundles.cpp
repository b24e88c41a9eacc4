#include "delivery/image_bundles.hpp"

#include "core/flights.hpp"
#include "delivery/blob_hashing.hpp"
#include "delivery/bundle_shelf.hpp"
#include "oci/manifest.hpp"
#include "swarm/descriptor/chunk_hashes.hpp"
#include "swarm/hex32.hpp"
#include "swarm/piece_layout.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace entrepot {
namespace {

// How many blobs of one image are read at a time.
constexpr std::size_t blobs_at_once = 4;

std::unexpected<Error> no_swarm(std::string why)
{
    return fail(Errc::unsupported, "this has no swarm: " + std::move(why));
}

// The config and the layers, each once.
Result<std::vector<Descriptor>> blobs_of(const StoredManifest& stored)
{
    if (media::is_index(stored.media_type)) return no_swarm("it is an index; its images have one each");
    TRY(auto manifest, Manifest::parse(stored.media_type, stored.bytes));
    std::vector<Descriptor> blobs;
    std::set<Digest> seen;
    std::uint64_t chunks = 0;
    if (manifest.config) manifest.layers.insert(manifest.layers.begin(), *std::move(manifest.config));
    for (auto& blob : manifest.layers) {
        if (blob.digest.algorithm() != DigestAlgorithm::sha256) return no_swarm("a blob's digest is not of sha256");
        if (!seen.insert(blob.digest).second) continue;
        const auto count = chunk_count(blob.size);
        if (count > most_listed_chunks - chunks) return no_swarm("it is too large");
        chunks += count;
        blobs.push_back(std::move(blob));
    }
    if (blobs.empty()) return no_swarm("it has no blobs");
    if (blobs.size() > ImageDescriptor::most_blobs) return no_swarm("it has too many blobs");
    return blobs;
}

Sha256 sha256_named(const Digest& digest)
{
    // A Digest of sha256 has 64 of these digits.
    return parse_hex32<Sha256>(digest.hex()).value_or(Sha256{});
}

// What the catalog has of a blob, or the hashing found.
Result<DescribedBlob> described(const ChunkRoot& of)
{
    DescribedBlob blob{.digest = sha256_named(of.blob), .size = of.size};
    if (of.root.size() != blob.chunk_root.bytes.size())
        return fail(Errc::corrupt, "the hashes of a blob can't be read", of.blob.text());
    std::ranges::copy(of.root, blob.chunk_root.bytes.begin());
    return blob;
}

Result<> check_hashes(const DescribedBlob& blob, std::string_view hashes)
{
    auto list = parse_hash_list(as_bytes(hashes));
    if (list && ChunkVerifier::of(blob, *std::move(list))) return {};
    return fail(Errc::corrupt, "the hashes of a blob can't be read", "sha256:" + hex_of(blob.digest));
}

}  // namespace

class ImageBundles::State {
public:
    State(
        ManifestCatalog& manifests,
        BlobCatalog& links,
        BlobReader& blobs,
        ChunkCatalog& chunks,
        asio::thread_pool& hashing
    )
        : manifests_{manifests}, links_{links}, chunks_{chunks}, hashing_{blobs, chunks, hashing}, flights_{hashing}
    {
    }

    Task<ImageBundlePtr> load(RepositoryName repository, Digest digest);
    ImageBundlePtr find(const SwarmId& swarm) { return shelf_.find(swarm); }
    asio::awaitable<void> drain();

private:
    using BlobList = std::vector<Descriptor>;

    Task<ManifestPtr> manifest_of(RepositoryName repository, Digest digest);
    Task<> check_links(RepositoryName repository, BlobList blobs);
    Task<ImageBundlePtr> made(Digest manifest, BlobList blobs);
    Task<ImageBundlePtr> make(Digest manifest, BlobList blobs);
    using Lists = std::map<Digest, BlobHashing::ListPtr>;
    Task<Lists> hash_missing(BlobList blobs, std::map<Digest, ChunkRoot> known);

    ManifestCatalog& manifests_;
    BlobCatalog& links_;
    ChunkCatalog& chunks_;
    BundleShelf shelf_{most_bytes};
    BlobHashing hashing_;
    Flights<ImageBundlePtr> flights_;
};

Task<ImageBundlePtr> ImageBundles::State::load(RepositoryName repository, Digest digest)
{
    if (digest.algorithm() != DigestAlgorithm::sha256) co_return no_swarm("its digest is not of sha256");
    CO_TRY(const auto manifest, co_await manifest_of(repository, digest));
    auto shelved = shelf_.find(*manifest);
    if (shelved && shelved->is_whole && shelved->bundle->repository_id == manifest->repository_id)
        co_return shelved->bundle;
    if (shelved && shelved->is_whole) co_return shelf_.put(*manifest, shelved->bundle);
    CO_TRY(auto blobs, blobs_of(*manifest));
    CO_CHECK(co_await check_links(repository, blobs));
    auto bundle = shelved ? shelved->bundle : nullptr;
    if (!bundle) {
        CO_TRY(bundle, co_await made(digest, std::move(blobs)));
    }
    co_return shelf_.put(*manifest, std::move(bundle));
}

asio::awaitable<void> ImageBundles::State::drain()
{
    co_await hashing_.drain();
    co_await flights_.drain();
}

Task<ManifestPtr> ImageBundles::State::manifest_of(RepositoryName repository, Digest digest)
{
    const Reference reference{std::move(digest)};
    if (auto manifest = manifests_.peek(repository, reference)) co_return *std::move(manifest);
    co_return co_await manifests_.load(std::move(repository), reference);
}

Task<> ImageBundles::State::check_links(RepositoryName repository, BlobList blobs)
{
    for (const auto& blob : blobs) {
        auto size = links_.peek(repository, blob.digest);
        if (!size) {
            auto loaded = co_await links_.load(repository, blob.digest);
            const bool is_missing = !loaded && loaded.error().code() == Errc::blob_unknown;
            if (is_missing && blob.foreign) co_return no_swarm("a layer of it is kept elsewhere");
            if (!loaded) co_return std::unexpected{std::move(loaded).error()};
            size = *loaded;
        }
        if (*size != blob.size) co_return no_swarm("a blob of it has another size than it says");
    }
    co_return Result<>{};
}

Task<ImageBundlePtr> ImageBundles::State::made(Digest manifest, BlobList blobs)
{
    const auto name = manifest.text();
    const auto flight = flights_.begin(name, [this, manifest, blobs] { return make(manifest, blobs); });
    std::optional<Result<ImageBundlePtr>> outcome;
    while (!outcome) outcome = co_await Flights<ImageBundlePtr>::wait(flight, std::chrono::hours{1});
    co_return *std::move(outcome);
}

Task<ImageBundlePtr> ImageBundles::State::make(Digest manifest, BlobList blobs)
{
    std::vector<Digest> digests;
    std::uint64_t bytes = 0;
    for (const auto& blob : blobs) {
        digests.push_back(blob.digest);
        bytes += blob.size;
    }
    CO_TRY(auto roots, co_await chunks_.roots(std::move(digests)));
    std::map<Digest, ChunkRoot> known;
    for (auto& root : roots) {
        const auto digest = root.blob;
        known.emplace(digest, std::move(root));
    }
    CO_TRY(const auto hashed, co_await hash_missing(blobs, known));

    ImageContent content{
        .manifest = sha256_named(manifest),
        .platform = {},
        .chunks_of_piece = PieceLayout::chunks_of_piece_for(bytes),
        .blobs = {},
    };
    std::string hashes;
    for (const auto& blob : blobs) {
        if (const auto found = hashed.find(blob.digest); found != hashed.end()) {
            CO_TRY(const auto entry, described(found->second->of));
            content.blobs.push_back(entry);
            hashes += found->second->hashes;
            continue;
        }
        CO_TRY(const auto entry, described(known.at(blob.digest)));
        CO_TRY(const auto list, co_await chunks_.hashes(blob.digest));
        CO_CHECK(check_hashes(entry, list));
        content.blobs.push_back(entry);
        hashes += list;
    }
    auto descriptor = ImageDescriptor::of(std::move(content));
    if (!descriptor) co_return no_swarm(descriptor.error().message());
    co_return std::make_shared<const ImageBundle>(
        ImageBundle{.descriptor = *std::move(descriptor), .hashes = std::move(hashes)}
    );
}

Task<ImageBundles::State::Lists> ImageBundles::State::hash_missing(BlobList blobs, std::map<Digest, ChunkRoot> known)
{
    BlobList missing;
    for (const auto& blob : blobs) {
        if (!known.contains(blob.digest)) missing.push_back(blob);
    }
    Lists lists;
    for (std::size_t from = 0; from < missing.size(); from += blobs_at_once) {
        const auto batch = std::span{missing}.subspan(from, std::min(blobs_at_once, missing.size() - from));
        std::vector<Flights<BlobHashing::ListPtr>::FlightPtr> flights;
        for (const auto& blob : batch) flights.push_back(hashing_.begin(blob.digest, blob.size));
        for (std::size_t i = 0; i < batch.size(); ++i) {
            CO_TRY(auto list, co_await BlobHashing::wait(flights[i]));
            lists.emplace(batch[i].digest, std::move(list));
        }
    }
    co_return lists;
}

ImageBundles::ImageBundles(
    ManifestCatalog& manifests, BlobCatalog& links, BlobReader& blobs, ChunkCatalog& chunks, asio::thread_pool& hashing
)
    : state_{std::make_unique<State>(manifests, links, blobs, chunks, hashing)}
{
}

ImageBundles::~ImageBundles() = default;

Task<ImageBundlePtr> ImageBundles::load(RepositoryName repository, Digest manifest)
{
    return state_->load(std::move(repository), std::move(manifest));
}

ImageBundlePtr ImageBundles::find(const SwarmId& swarm) const
{
    return state_->find(swarm);
}

asio::awaitable<void> ImageBundles::drain()
{
    return state_->drain();
}

}  // namespace entrepot
