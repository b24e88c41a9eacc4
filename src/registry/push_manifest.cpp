#include "registry/push_manifest.hpp"

namespace entrepot {

Task<PushedManifest> PushManifest::operator()(ManifestPush push)
{
    if (push.media_type.empty()) push.media_type = media_type_within(push.bytes);
    if (push.media_type.empty()) {
        co_return fail(Errc::manifest_invalid, "the manifest has neither a Content-Type nor a \"mediaType\"");
    }
    CO_TRY(auto manifest, Manifest::parse(push.media_type, push.bytes));

    const auto* named = push.reference.digest();
    auto digest = digest_of(push.bytes, named != nullptr ? named->algorithm() : DigestAlgorithm::sha256);
    if (named != nullptr && *named != digest) {
        co_return fail(Errc::digest_mismatch, "the manifest's digest is " + digest.text());
    }
    auto tags = std::move(push.extra_tags);
    if (const auto* tag = push.reference.tag()) tags.insert(tags.begin(), *tag);

    CO_CHECK(co_await gate_.open(push.repository, push.identity, push.actor));
    PushedManifest pushed{.digest = digest, .subject = std::nullopt, .tags = tags};
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
    CO_CHECK(co_await catalog_.commit(std::move(record)));
    co_return pushed;
}

}  // namespace entrepot
