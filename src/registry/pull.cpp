#include "registry/pull.hpp"

#include "core/log.hpp"

namespace entrepot {

std::optional<ManifestPtr>
Pull::peek_manifest(const RepositoryName& repository, const Reference& reference, Purpose purpose)
{
    auto manifest = manifests_.peek(repository, reference);
    if (manifest && purpose == Purpose::take) ledger_.count(**manifest);
    return manifest;
}

Task<ManifestPtr> Pull::load_manifest(RepositoryName repository, Reference reference, Purpose purpose)
{
    CO_TRY(auto manifest, co_await manifests_.load(std::move(repository), std::move(reference)));
    if (purpose == Purpose::take) ledger_.count(*manifest);
    co_return manifest;
}

std::optional<BlobContent> Pull::peek_blob(const RepositoryName& repository, const Digest& digest)
{
    if (!links_.peek(repository, digest)) return std::nullopt;
    return blobs_.peek(digest);
}

Task<BlobContent> Pull::load_blob(RepositoryName repository, Digest digest)
{
    CO_TRY(const auto size, co_await links_.load(std::move(repository), digest));
    auto content = co_await blobs_.load(digest);
    if (!content && content.error().code() == Errc::blob_unknown) {
        log::error("a blob of the catalog is missing in the store", {{"digest", digest.text()}});
    }
    if (content && content->size != size) {
        co_return fail(Errc::corrupt, "the stored blob is damaged", digest.text() + " has another size than recorded");
    }
    co_return content;
}

std::optional<std::uint64_t> Pull::peek_blob_size(const RepositoryName& repository, const Digest& digest)
{
    return links_.peek_promised(repository, digest);
}

Task<std::uint64_t> Pull::load_blob_size(RepositoryName repository, Digest digest)
{
    const Micros now = clock_.now();
    // Renewed when a quarter of it is gone: one write per blob and quarter, however often it is asked for.
    return links_.promise(std::move(repository), std::move(digest), now - lease_ / 4, {.user_id = 0, .at = now});
}

}  // namespace entrepot
