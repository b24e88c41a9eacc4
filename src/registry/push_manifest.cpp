#include "registry/push_manifest.hpp"

#include "registry/blob_bytes.hpp"

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

// What lists will show; also where the config can't be read, for a push does not fail for that.
ArtifactView read_view(const Manifest& manifest, std::string_view bytes, const std::optional<BlobContent>& config)
{
    if (!config) return view_of(manifest, bytes, std::nullopt);
    if (config->bytes) return view_of(manifest, bytes, *config->bytes);
    const auto text = read_whole_blob(*config, ArtifactView::largest_config);
    return view_of(manifest, bytes, text ? std::optional<std::string_view>{*text} : std::nullopt);
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
    std::optional<BlobContent> config;
    if (wants_config(manifest)) config = co_await find_config(push.repository, manifest.config->digest);
    const bool small = push.bytes.size() + (config ? config->size : 0) <= parsed_on_the_loop;
    const auto look = [&manifest, &bytes = push.bytes, &config] { return read_view(manifest, bytes, config); };
    auto view = small && (!config || config->bytes) ? look() : co_await offload(parsing_, look);
    PushedManifest pushed{.digest = digest, .subject = std::nullopt, .tags = tags, .missing_children = 0};
    if (manifest.subject) pushed.subject = manifest.subject->digest;
    const Micros expires_at = options_.expire_tags && view.lasts != 0 ? push.actor.at + view.lasts : 0;
    NewManifest record{
        .repository = std::move(push.repository),
        .digest = std::move(digest),
        .bytes = std::move(push.bytes),
        .manifest = std::move(manifest),
        .tags = std::move(tags),
        .actor = push.actor,
        .view = std::move(view),
        .tags_expire_at = expires_at,
        .may_lack_blobs = options_.accept_sparse,
    };
    const auto repository = record.repository;
    auto children = record.manifest.children;
    CO_TRY(pushed.warning, co_await commit(std::move(record)));
    // The push stands whatever this answers: what is missing is only worth a warning.
    if (std::ssize(children) > most_children_looked_at)
        children.erase(children.begin() + most_children_looked_at, children.end());
    pushed.missing_children = (co_await missing_among(repository, std::move(children))).value_or(0);
    co_return pushed;
}

// What this instance knows of the project may be old: the commit tells it then, and nothing has happened.
Task<std::string> PushManifest::commit(NewManifest record)
{
    const bool by_client = copies_ != nullptr && record.actor.home_epoch == 0;
    if (by_client && copies_->concerns(record.repository)) co_return co_await commit_at_sites(std::move(record));
    record.waits_for_sites = by_client;
    const auto committed = co_await catalog_.commit(record);
    if (committed) co_return std::string{};
    if (!by_client || committed.error().code() != Errc::unavailable) co_return std::unexpected{committed.error()};
    const auto concerns = co_await copies_->concerns_now(record.repository);
    if (!concerns || !*concerns) co_return std::unexpected{committed.error()};
    record.waits_for_sites = false;
    co_return co_await commit_at_sites(std::move(record));
}

// The sites have the content before anybody sees it here, and the tags thereafter: so what was not acknowledged is
// either nowhere to be seen, or brought over all the same.
Task<std::string> PushManifest::commit_at_sites(NewManifest record)
{
    CO_CHECK(co_await check_blobs(record));
    const auto push = std::make_shared<const CopiedPush>(CopiedPush{
        .repository = record.repository,
        .digest = record.digest,
        .media_type = record.manifest.media_type,
        .bytes = record.bytes,
        .blobs = record.manifest.required_blobs(),
        .children = record.manifest.children,
        .tags = record.tags,
        .actor = record.actor,
    });
    CO_CHECK(co_await copies_->bring_content(push));
    CO_CHECK(co_await catalog_.commit(std::move(record)));
    co_return co_await copies_->bring_tags(push);
}

// As the commit does, which comes only after the sites have been asked to take them.
Task<> PushManifest::check_blobs(const NewManifest& record)
{
    if (record.may_lack_blobs) co_return Result<>{};
    for (const auto& blob : record.manifest.required_blobs()) {
        const auto known = links_.peek(record.repository, blob.digest);
        const auto here = known ? Result<std::uint64_t>{*known} : co_await links_.load(record.repository, blob.digest);
        if (here && *here == blob.size) continue;
        if (here) co_return refuse_blob_size(blob.digest);
        if (here.error().code() != Errc::blob_unknown) co_return std::unexpected{here.error()};
        co_return refuse_blob_unknown(record.repository, blob.digest);
    }
    co_return Result<>{};
}

// The config, where the store has it. The commit refuses a config that this repository does not hold; where it does
// not, nothing of another repository's may be shown.
asio::awaitable<std::optional<BlobContent>> PushManifest::find_config(RepositoryName repository, Digest digest)
{
    if (options_.accept_sparse) {
        const auto linked = co_await links_.load(std::move(repository), digest);
        if (!linked) co_return std::nullopt;
    }
    auto content = blobs_.peek(digest);
    if (!content) {
        auto loaded = co_await blobs_.load(digest);
        if (loaded) content = *std::move(loaded);
    }
    if (content && content->size > ArtifactView::largest_config) co_return std::nullopt;
    co_return content;
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
