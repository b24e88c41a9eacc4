#include "exchange/copy/artifact_copier.hpp"

#include "exchange/copy/at_once.hpp"
#include "exchange/copy/blob_copier.hpp"
#include "exchange/copy/index_children.hpp"

#include <algorithm>
#include <array>

namespace entrepot {
namespace {

constexpr std::size_t blobs_at_once = 8;
constexpr std::size_t manifests_at_once = 4;
constexpr int deepest = 5;  // of indexes in indexes, and of what refers to what refers
constexpr std::int64_t referrers_a_page = 100;
constexpr std::size_t most_referrers = 1'000;
constexpr std::uint64_t largest_config = std::uint64_t{4} << 20U;

constexpr std::array<std::string_view, 3> cosign_suffixes{".sig", ".att", ".sbom"};

bool is_signature(std::string_view artifact_type) noexcept
{
    return artifact_type == "application/vnd.dev.cosign.artifact.sig.v1+json" ||
           artifact_type == "application/vnd.cncf.notary.signature" ||
           artifact_type.starts_with("application/vnd.dev.sigstore.bundle");
}

// "sha256:ab…" → "sha256-ab….sig"
Result<Tag> cosign_tag(const Digest& digest, std::string_view suffix)
{
    auto text = digest.text();
    std::ranges::replace(text, ':', '-');
    return Tag::parse(text.append(suffix));
}

bool is_gone(Errc code) noexcept
{
    return is_unknown(code) || code == Errc::blob_unknown;
}

}  // namespace

// Anew, once, where the tag was moved meanwhile: what it named before may be gone, and of two copies of one tag the one
// that began earlier must not leave the older content.
Task<CopiedArtifact> ArtifactCopier::operator()()
{
    auto copied = co_await copy_once();
    if (order_.reference.tag() == nullptr) co_return copied;
    const bool lacks = !copied && is_gone(copied.error().code());
    if (!copied && !lacks) co_return copied;
    if (copied && copied->end != CopiedArtifact::End::copied) {
        copied->newest = true;
        co_return copied;
    }
    const auto head = co_await run_.source().look(order_.from, order_.reference);
    if (!head) co_return copied;
    if (copied && copied->digest == head->digest) {
        copied->newest = true;
        co_return copied;
    }
    run_.log(name() + ": was changed while it was copied; begins anew");
    auto again = co_await copy_once();
    if (!again) co_return again;
    const auto now = co_await run_.source().look(order_.from, order_.reference);
    again->newest = now && again->digest == now->digest;
    if (now && !again->newest) again->note = "it was changed once more meanwhile: the next run brings the newest";
    co_return again;
}

Task<CopiedArtifact> ArtifactCopier::copy_once()
{
    using End = CopiedArtifact::End;
    const auto& options = run_.options();
    CO_TRY(const auto head, co_await run_.patiently([&] { return run_.source().look(order_.from, order_.reference); }));
    CopiedArtifact done{.digest = head.digest};
    const Reference there_as = order_.tag ? Reference{*order_.tag} : Reference{head.digest};
    CO_TRY(const auto there, co_await look_there(there_as));
    const bool same = there && there->digest == head.digest;
    if (there && !same && !options.overrides) {
        done.end = End::differs;
        co_return done;
    }
    Following others;
    if (options.with_referrers || options.signed_only) {
        CO_TRY(others, co_await following(head.digest, true));
    }
    if (options.signed_only && !others.signature) {
        done.end = End::not_signed;
        co_return done;
    }
    if (!options.with_referrers) others = {};
    if (same) {
        CO_TRY(const bool brought, co_await bring_following(std::move(others), 0));
        done.end = brought ? End::copied : End::already_there;
        if (brought) done.note = "it was there; what refers to it was brought";
        co_return done;
    }
    CO_TRY(auto manifest, co_await fetch(Reference{head.digest}));
    CO_TRY(const auto parsed, Manifest::parse(manifest.media_type, manifest.bytes));
    CO_TRY(const bool ours, co_await is_for_us(parsed, manifest.bytes));
    if (!ours) {
        done.end = End::no_platform;
        co_return done;
    }
    CO_CHECK(co_await run_.prepare(order_.into));
    CO_CHECK(co_await bring(manifest, 0));
    const bool alone = others.referrers.empty() && others.tags.empty();
    if (!alone) {
        CO_CHECK(co_await push(manifest, std::nullopt));
        CO_TRY(const bool brought, co_await bring_following(std::move(others), 0));
        (void)brought;
    }
    if (alone || order_.tag) CO_CHECK(co_await push(std::move(manifest), order_.tag));
    if (options.with_referrers && options.referrers_again) {
        CO_TRY(auto later, co_await following(head.digest, false));
        CO_TRY(const bool brought, co_await bring_following(std::move(later), 0));
        (void)brought;
    }
    if (sparse_) done.note = "the source lacks some of its children";
    co_return done;
}

Task<std::optional<ManifestHead>> ArtifactCopier::look_there(Reference reference)
{
    auto head = co_await run_.patiently([&] { return run_.target().look(order_.into, reference); });
    if (head) co_return std::optional{*std::move(head)};
    if (is_gone(head.error().code())) co_return std::optional<ManifestHead>{};
    co_return std::unexpected{head.error()};
}

Task<CopiedManifest> ArtifactCopier::fetch(Reference reference)
{
    CO_TRY(auto manifest, co_await run_.patiently([&] { return run_.source().manifest(order_.from, reference); }));
    const auto found = digest_of(manifest.bytes, manifest.digest.algorithm());
    const bool as_asked = reference.digest() == nullptr || found == *reference.digest();
    if (found != manifest.digest || !as_asked) {
        co_return fail(Errc::digest_mismatch, "the source's manifest has another digest: " + found.text());
    }
    co_return manifest;
}

// An image by itself says its platform in its config alone.
Task<bool> ArtifactCopier::is_for_us(const Manifest& manifest, std::string_view bytes)
{
    const auto& wanted = run_.options().platforms;
    if (wanted.empty()) co_return true;
    if (media::is_index(manifest.media_type)) {
        CO_TRY(const auto chosen, children_for(bytes, wanted));
        co_return !chosen.empty() || manifest.children.empty();
    }
    if (!manifest.config || manifest.config->size == 0 || manifest.config->size > largest_config) co_return true;
    const auto& config = *manifest.config;
    const auto read = [&]() -> Task<std::string> {
        CO_TRY(const auto stream, co_await run_.source().blob(order_.from, config.digest, 0));
        co_return co_await read_all(*stream.body, static_cast<std::size_t>(config.size));
    };
    CO_TRY(const auto text, co_await run_.patiently(read));
    if (digest_of(text, config.digest.algorithm()) != config.digest) {
        co_return fail(Errc::digest_mismatch, "the source's config has another digest");
    }
    const auto platform = platform_of_config(text);
    co_return !platform || wants_platform(wanted, *platform);
}

// All that the manifest names.
Task<> ArtifactCopier::bring(CopiedManifest manifest, int depth)
{
    CO_TRY(const auto parsed, Manifest::parse(manifest.media_type, manifest.bytes));
    if (depth > deepest) co_return fail(Errc::manifest_invalid, "indexes lie too deep in one another");
    auto children = parsed.children;
    if (!children.empty() && !run_.options().platforms.empty()) {
        CO_TRY(const auto chosen, children_for(manifest.bytes, run_.options().platforms));
        std::erase_if(children, [&](const Descriptor& child) { return !chosen.contains(child.digest); });
    }
    CO_CHECK(co_await at_once(children.size(), manifests_at_once, [&](std::size_t index) {
        return bring_child(children[index], depth + 1);
    }));
    co_return co_await bring_blobs(parsed.required_blobs());
}

Task<> ArtifactCopier::bring_blobs(std::vector<Descriptor> blobs)
{
    return at_once(blobs.size(), blobs_at_once, [this, blobs](std::size_t index) -> Task<> {
        BlobCopier copier{run_, order_.from, order_.into, blobs[index]};
        co_return co_await copier();
    });
}

Task<> ArtifactCopier::bring_child(Descriptor child, int depth)
{
    // A cache of BuildKit is an index whose children are blobs.
    if (!Manifest::is_understood(child.media_type)) {
        const auto brought = co_await bring_blobs({child});
        if (brought || brought.error().code() != Errc::blob_unknown) co_return brought;
    }
    CO_TRY(const auto there, co_await look_there(Reference{child.digest}));
    if (!there) {
        auto manifest = co_await fetch(Reference{child.digest});
        if (!manifest && is_gone(manifest.error().code())) {
            sparse_ = true;
            co_return Result<>{};
        }
        if (!manifest) co_return std::unexpected{manifest.error()};
        CO_CHECK(co_await bring(*manifest, depth));
        CO_CHECK(co_await push(*std::move(manifest), std::nullopt));
    }
    if (!run_.options().with_referrers) co_return Result<>{};
    CO_TRY(auto others, co_await following(child.digest, false));
    CO_TRY(const bool brought, co_await bring_following(std::move(others), depth));
    (void)brought;
    co_return Result<>{};
}

Task<> ArtifactCopier::push(CopiedManifest manifest, std::optional<Tag> tag)
{
    const Reference as = tag ? Reference{*std::move(tag)} : Reference{manifest.digest};
    CO_CHECK(co_await run_.patiently([&] { return run_.target().push(order_.into, as, manifest); }));
    ++run_.tally().manifests;
    co_return Result<>{};
}

// A source that knows nothing of referrers has none.
Task<ArtifactCopier::Following> ArtifactCopier::following(Digest subject, bool tags_too)
{
    Following found;
    std::string last;
    for (bool more = true; more && found.referrers.size() < most_referrers;) {
        const PageRequest page{.limit = referrers_a_page, .last = last};
        auto answer = co_await run_.patiently([&] { return run_.source().referrers(order_.from, subject, page); });
        if (!answer && (is_gone(answer.error().code()) || answer.error().code() == Errc::unsupported)) break;
        CO_TRY(const auto list, std::move(answer));
        for (const auto& referrer : list.referrers) {
            found.signature = found.signature || is_signature(referrer.artifact_type);
            found.referrers.push_back(referrer.digest);
        }
        more = list.more && !list.referrers.empty();
        if (more) last = list.referrers.back().digest.text();
    }
    if (!tags_too) co_return found;
    std::array<bool, cosign_suffixes.size()> there{};
    CO_CHECK(co_await at_once(there.size(), there.size(), [&](std::size_t index) -> Task<> {
        CO_TRY(const auto tag, cosign_tag(subject, cosign_suffixes[index]));
        const auto head = co_await run_.patiently([&] { return run_.source().look(order_.from, Reference{tag}); });
        if (!head && !is_gone(head.error().code())) co_return std::unexpected{head.error()};
        there[index] = head.has_value();
        co_return Result<>{};
    }));
    for (std::size_t index = 0; index < there.size(); ++index) {
        if (!there[index]) continue;
        CO_TRY(auto tag, cosign_tag(subject, cosign_suffixes[index]));
        found.tags.push_back(std::move(tag));
    }
    found.signature = found.signature || there[0];
    co_return found;
}

// Whether there was anything to bring.
Task<bool> ArtifactCopier::bring_following(Following following, int depth)
{
    bool any = false;
    if (depth >= deepest) co_return any;
    const auto count = following.referrers.size() + following.tags.size();
    CO_CHECK(co_await at_once(count, manifests_at_once, [&](std::size_t index) -> Task<> {
        const auto referrers = following.referrers.size();
        auto bring_one = index < referrers ? bring_referrer(following.referrers[index], depth + 1)
                                           : bring_tagged(following.tags[index - referrers]);
        CO_TRY(const bool brought, co_await std::move(bring_one));
        any = any || brought;
        co_return Result<>{};
    }));
    co_return any;
}

Task<bool> ArtifactCopier::bring_referrer(Digest referrer, int depth)
{
    if (!seen_.insert(referrer).second) co_return false;
    CO_TRY(const auto there, co_await look_there(Reference{referrer}));
    if (!there) {
        auto manifest = co_await fetch(Reference{referrer});
        if (!manifest && is_gone(manifest.error().code())) co_return false;  // removed meanwhile
        CO_TRY(auto found, std::move(manifest));
        CO_CHECK(co_await bring(found, depth));
        CO_CHECK(co_await push(std::move(found), std::nullopt));
    }
    CO_TRY(auto others, co_await following(referrer, false));
    CO_TRY(const bool further, co_await bring_following(std::move(others), depth));
    co_return further || !there;
}

Task<bool> ArtifactCopier::bring_tagged(Tag tag)
{
    auto manifest = co_await fetch(Reference{tag});
    if (!manifest && is_gone(manifest.error().code())) co_return false;
    CO_TRY(auto found, std::move(manifest));
    CO_TRY(const auto there, co_await look_there(Reference{tag}));
    if (there && (there->digest == found.digest || !run_.options().overrides)) co_return false;
    CO_CHECK(co_await bring(found, 1));
    CO_CHECK(co_await push(std::move(found), tag));
    co_return true;
}

}  // namespace entrepot
