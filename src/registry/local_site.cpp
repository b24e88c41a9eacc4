#include "registry/local_site.hpp"

#include "registry/blob_bytes.hpp"

#include <algorithm>

namespace entrepot {
namespace {

// A text as a body.
class TextSource final : public ByteSource {
public:
    explicit TextSource(std::string text) : text_{std::move(text)} {}

    std::optional<std::uint64_t> size() const override { return text_.size(); }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const auto count = std::min(into.size(), text_.size() - at_);
        std::copy_n(as_bytes(text_).begin() + static_cast<std::ptrdiff_t>(at_), count, into.begin());
        at_ += count;
        co_return count;
    }

private:
    const std::string text_;
    std::size_t at_ = 0;
};

// A stored blob from one of its bytes on.
class StoredSource final : public ByteSource {
public:
    StoredSource(BlobContent content, std::uint64_t first, asio::thread_pool& reading)
        : content_{std::move(content)}, first_{first}, at_{first}, reading_{reading}
    {
    }

    std::optional<std::uint64_t> size() const override { return content_.size - first_; }
    Task<std::size_t> read(std::span<std::byte> into) override
    {
        const std::span chars{reinterpret_cast<char*>(into.data()), into.size()};
        const auto read_on = [this, chars] { return read_blob_at(content_, at_, chars); };
        auto count = content_.bytes ? read_on() : co_await offload(reading_, read_on);
        if (count) at_ += *count;
        co_return count;
    }

private:
    const BlobContent content_;
    const std::uint64_t first_;
    std::uint64_t at_;
    asio::thread_pool& reading_;
};

Caller caller_of(std::int64_t user_id)
{
    Caller caller;
    caller.identity = std::make_shared<const Identity>(Identity{.user_id = user_id, .name = {}});
    return caller;
}

Result<UploadId> upload_of(const std::string& place)
{
    auto id = UploadId::parse(place);
    if (!id) return fail(Errc::upload_unknown, "the upload is not known");
    return *std::move(id);
}

}  // namespace

LocalSite::LocalSite(const Parts& parts, LocalSiteUser user)
    : parts_{parts}, user_{user}, caller_{caller_of(user.user_id)}
{
}

Actor LocalSite::actor() const
{
    return {
        .user_id = user_.user_id,
        .at = parts_.clock.now(),
        .via = Via::replication,
        .endpoint_id = user_.endpoint_id,
    };
}

// A project that isn't there is not beyond reach: the catalog says what it lacks.
Result<> LocalSite::check_reach(const RepositoryName& repository) const
{
    const auto project = parts_.policy.project(repository.project());
    if (user_.tenant_id == 0 || !project || project->tenant_id == user_.tenant_id) return {};
    return fail(Errc::denied, "the project belongs to another tenant: " + std::string{repository.project()});
}

// What the policy does not know is not there for a user who is confined to a tenant: the catalog may know more.
Task<> LocalSite::check_readable(RepositoryName repository)
{
    if (user_.tenant_id != 0 && !parts_.policy.project(repository.project())) {
        CO_CHECK(co_await parts_.catch_up());
        if (!parts_.policy.project(repository.project())) {
            co_return fail(Errc::name_unknown, "no such project: " + std::string{repository.project()});
        }
    }
    co_return check_reach(repository);
}

Result<> LocalSite::check_writable(const RepositoryName& repository) const
{
    if (parts_.read_only()) return fail(Errc::unavailable, "the registry is read-only");
    CHECK(check_reach(repository));
    const auto project = parts_.policy.project(repository.project());
    if (!project) return {};
    if (project->registry_id != 0) {
        return fail(Errc::denied, "the project " + project->name + " is a proxy cache: nothing can be pushed to it");
    }
    const auto tenant = parts_.policy.tenant(project->tenant_id);
    if (!project->frozen && (!tenant || !tenant->frozen)) return {};
    return fail(Errc::denied, "the project is frozen: " + std::string{repository.project()});
}

Task<ManifestHead> LocalSite::look(RepositoryName repository, Reference reference)
{
    CO_CHECK(co_await check_readable(repository));
    CO_TRY(
        const auto found,
        co_await parts_.pull.load_manifest(std::move(repository), std::move(reference), Pull::Purpose::look)
    );
    co_return ManifestHead{.digest = found->digest, .media_type = found->media_type, .size = found->bytes.size()};
}

Task<CopiedManifest> LocalSite::manifest(RepositoryName repository, Reference reference)
{
    CO_CHECK(co_await check_readable(repository));
    CO_TRY(
        const auto found,
        co_await parts_.pull.load_manifest(std::move(repository), std::move(reference), Pull::Purpose::look)
    );
    co_return CopiedManifest{.digest = found->digest, .media_type = found->media_type, .bytes = found->bytes};
}

Task<BlobStream> LocalSite::blob(RepositoryName repository, Digest digest, std::uint64_t first)
{
    CO_CHECK(co_await check_readable(repository));
    CO_TRY(auto content, co_await parts_.pull.load_blob(std::move(repository), std::move(digest)));
    if (first > content.size) co_return fail(Errc::range_invalid, "the blob has no such byte");
    BlobStream stream{.body = nullptr, .first = first, .size = content.size};
    stream.body = std::make_unique<StoredSource>(std::move(content), first, parts_.reading);
    co_return stream;
}

Task<ReferrerPage> LocalSite::referrers(RepositoryName repository, Digest subject, PageRequest page)
{
    CO_CHECK(co_await check_readable(repository));
    co_return co_await parts_.manifests.referrers(std::move(repository), std::move(subject), {}, std::move(page));
}

std::optional<std::vector<std::int64_t>> LocalSite::projects_within_reach() const
{
    if (user_.tenant_id == 0) return std::nullopt;
    return parts_.policy.projects_of_tenant(user_.tenant_id);
}

Task<CopySource::Listing> LocalSite::repositories(PageRequest page)
{
    CO_TRY(auto found, co_await parts_.manifests.repositories(projects_within_reach(), std::move(page)));
    Listing listing{.names = std::move(found.names), .next = {}};
    if (found.more && !listing.names.empty()) listing.next = listing.names.back();
    co_return listing;
}

Task<CopySource::Listing> LocalSite::tags(RepositoryName repository, PageRequest page)
{
    CO_CHECK(co_await check_readable(repository));
    CO_TRY(const auto found, co_await parts_.manifests.tags(std::move(repository), std::move(page)));
    Listing listing{.names = found->names, .next = {}};
    if (found->more && !listing.names.empty()) listing.next = listing.names.back();
    co_return listing;
}

// In the name of the copier, who need not be one who may create projects: whoever made the policy could.
Task<> LocalSite::prepare(RepositoryName repository)
{
    if (!parts_.policy.project(repository.project())) CO_CHECK(co_await parts_.catch_up());
    CO_CHECK(check_writable(repository));
    if (parts_.policy.project(repository.project())) co_return Result<>{};
    NewProject project{.name = ProjectName::of(repository)};
    if (user_.tenant_id != 0) project.tenant_id = user_.tenant_id;
    const auto created = co_await parts_.projects.create(std::move(project), actor());
    if (!created && created.error().code() != Errc::conflict) co_return std::unexpected{created.error()};
    CO_CHECK(co_await parts_.catch_up());
    co_return check_writable(repository);
}

Task<bool> LocalSite::holds(RepositoryName repository, Digest digest)
{
    CO_CHECK(co_await check_readable(repository));
    const auto size = co_await parts_.pull.load_blob_size(std::move(repository), std::move(digest));
    if (size) co_return true;
    if (size.error().code() == Errc::blob_unknown || size.error().code() == Errc::name_unknown) co_return false;
    co_return std::unexpected{size.error()};
}

Task<bool> LocalSite::mount(RepositoryName into, RepositoryName from, Digest digest)
{
    CO_CHECK(co_await check_readable(from));
    CO_CHECK(check_writable(into));
    const auto mounted = co_await parts_.links.mount(std::move(into), std::move(from), std::move(digest), actor());
    if (mounted) co_return true;
    if (mounted.error().code() == Errc::blob_unknown) co_return false;
    co_return std::unexpected{mounted.error()};
}

Task<> LocalSite::put(RepositoryName repository, Digest digest, std::string bytes)
{
    CO_CHECK(check_writable(repository));
    TextSource body{std::move(bytes)};
    co_return co_await parts_.uploads.push(std::move(repository), std::move(digest), body, caller_);
}

Task<CopyUpload>
LocalSite::begin(RepositoryName repository, DigestAlgorithm algorithm, std::optional<std::uint64_t> /*size*/)
{
    CO_CHECK(check_writable(repository));
    CO_TRY(auto id, co_await parts_.uploads.begin(std::move(repository), algorithm, caller_));
    co_return CopyUpload{.place = std::move(id.text)};
}

Task<CopyUpload> LocalSite::resume(RepositoryName repository, std::string place)
{
    CO_TRY(auto id, upload_of(place));
    CO_TRY(const auto offset, co_await parts_.uploads.offset(std::move(repository), std::move(id)));
    co_return CopyUpload{.place = std::move(place), .offset = offset};
}

Task<CopyUpload> LocalSite::append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length)
{
    CO_CHECK(check_writable(repository));
    if (length == 0) co_return upload;
    CO_TRY(auto id, upload_of(upload.place));
    const ChunkRange range{.first = upload.offset, .last = upload.offset + length - 1};
    CO_TRY(upload.offset, co_await parts_.uploads.append(std::move(repository), std::move(id), range, body));
    co_return upload;
}

Task<> LocalSite::finish(RepositoryName repository, CopyUpload upload, Digest digest)
{
    CO_CHECK(check_writable(repository));
    CO_TRY(auto id, upload_of(upload.place));
    TextSource nothing{{}};
    co_return co_await parts_.uploads.finish(
        std::move(repository), std::move(id), std::move(digest), std::nullopt, nothing, caller_
    );
}

Task<> LocalSite::cancel(RepositoryName repository, std::string place)
{
    CO_TRY(auto id, upload_of(place));
    auto cancelled = co_await parts_.uploads.cancel(std::move(repository), std::move(id));
    if (!cancelled && cancelled.error().code() == Errc::upload_unknown) co_return Result<>{};
    co_return cancelled;
}

Task<> LocalSite::push(RepositoryName repository, Reference reference, CopiedManifest manifest)
{
    CO_CHECK(check_writable(repository));
    CO_TRY(auto media_type, MediaType::parse(manifest.media_type));
    ManifestPush push{
        .repository = std::move(repository),
        .reference = std::move(reference),
        .extra_tags = {},
        .media_type = std::move(media_type),
        .bytes = std::move(manifest.bytes),
        .caller = caller_,
        .actor = actor(),
    };
    CO_TRY(const auto pushed, co_await parts_.push_manifest(std::move(push)));
    if (pushed.digest.algorithm() == manifest.digest.algorithm() && pushed.digest != manifest.digest) {
        co_return fail(Errc::digest_mismatch, "the manifest's digest is " + pushed.digest.text());
    }
    co_return Result<>{};
}

Task<> LocalSite::remove(RepositoryName repository, Reference reference)
{
    CO_CHECK(check_writable(repository));
    co_return co_await parts_.manifests.remove(std::move(repository), std::move(reference), actor());
}

Task<TagSummary> LocalSite::tag_summary(TagRange range)
{
    auto one_more = range;
    ++one_more.limit;
    CO_TRY(auto states, co_await parts_.manifests.tag_states(projects_within_reach(), std::move(one_more)));
    co_return summary_of(states, range);
}

Task<std::vector<TagState>> LocalSite::tag_states(TagRange range)
{
    co_return co_await parts_.manifests.tag_states(projects_within_reach(), std::move(range));
}

Task<> LocalSite::ping()
{
    co_return Result<>{};
}

}  // namespace entrepot
