#include "registry/push_manifest.hpp"

namespace entrepot {
namespace {

constexpr std::ptrdiff_t most_children_looked_at = 32;
constexpr std::size_t parsed_on_the_loop = 64 * 1024;

struct ReadManifest {
    Manifest manifest;
    Digest digest;
};

Result<ReadManifest>
read_manifest(const std::optional<MediaType>& type, const std::string& bytes, DigestAlgorithm algorithm)
{
    auto media_type = type;
    if (!media_type) {
        const auto within = media_type_within(bytes);
        if (within.empty()) {
            return fail(Errc::manifest_invalid, "the manifest has neither a Content-Type nor a \"mediaType\"");
        }
        TRY(media_type, MediaType::parse(within));
    }
    TRY(auto manifest, Manifest::parse(media_type->text(), bytes));
    return ReadManifest{std::move(manifest), digest_of(bytes, algorithm)};
}

}  // namespace

Task<PushedManifest> PushManifest::operator()(ManifestPush push)
{
    const auto named = push.reference.digest() != nullptr ? std::optional{*push.reference.digest()} : std::nullopt;
    const auto algorithm = named ? named->algorithm() : DigestAlgorithm::sha256;
    auto read = [type = std::move(push.media_type), &bytes = push.bytes, algorithm] {
        return read_manifest(type, bytes, algorithm);
    };
    // Megabytes of JSON would hold up everybody else on this loop.
    auto pushed_bytes = push.bytes.size() <= parsed_on_the_loop ? read() : co_await offload(parsing_, std::move(read));
    if (!pushed_bytes) co_return std::unexpected{pushed_bytes.error()};
    auto& [manifest, digest] = *pushed_bytes;
    if (named && *named != digest) {
        co_return fail(Errc::digest_mismatch, "the manifest's digest is " + digest.text());
    }
    auto tags = std::move(push.extra_tags);
    if (const auto* tag = push.reference.tag()) tags.insert(tags.begin(), *tag);

    CO_CHECK(co_await gate_.open(push.repository, push.caller, push.actor));
    PushedManifest pushed{.digest = digest, .subject = std::nullopt, .tags = tags, .missing_children = 0};
    if (manifest.subject) pushed.subject = manifest.subject->digest;
    NewManifest record{
        .repository = std::move(push.repository),
        .digest = std::move(digest),
        .bytes = std::move(push.bytes),
        .manifest = std::move(manifest),
        .tags = std::move(tags),
        .actor = push.actor,
        .may_lack_blobs = accept_sparse_,
    };
    const auto repository = record.repository;
    auto children = record.manifest.children;
    CO_CHECK(co_await catalog_.commit(std::move(record)));
    // The push stands whatever this answers: what is missing is only worth a warning.
    if (std::ssize(children) > most_children_looked_at)
        children.erase(children.begin() + most_children_looked_at, children.end());
    pushed.missing_children = (co_await missing_among(repository, std::move(children))).value_or(0);
    co_return pushed;
}

Task<std::size_t> PushManifest::missing_among(RepositoryName repository, std::vector<Descriptor> children)
{
    std::size_t missing = 0;
    for (const auto& child : children) {
        const Reference reference{child.digest};
        if (catalog_.peek(repository, reference)) continue;
        const auto loaded = co_await catalog_.load(repository, reference);
        if (loaded) continue;
        if (loaded.error().code() != Errc::manifest_unknown) co_return std::unexpected{loaded.error()};
        ++missing;
    }
    co_return missing;
}

}  // namespace entrepot
