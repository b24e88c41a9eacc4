#include "drivers/memory/memory_site.hpp"

#include "core/buffer.hpp"
#include "oci/manifest.hpp"

#include <algorithm>

namespace entrepot {
namespace {

class MemoryBody final : public ByteSource {
public:
    explicit MemoryBody(std::string text) : text_{std::move(text)} {}

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

std::unexpected<Error> upload_unknown()
{
    return fail(Errc::upload_unknown, "the upload is not known");
}

}  // namespace

MemorySite::Counts MemorySite::counts() const
{
    const std::lock_guard lock{mutex_};
    return counts_;
}

void MemorySite::forget_uploads()
{
    const std::lock_guard lock{mutex_};
    uploads_.clear();
}

std::uint64_t MemorySite::bytes() const
{
    const std::lock_guard lock{mutex_};
    std::uint64_t sum = 0;
    for (const auto& [digest, bytes] : blobs_) sum += bytes.size();
    return sum;
}

std::size_t MemorySite::uploads() const
{
    const std::lock_guard lock{mutex_};
    return uploads_.size();
}

bool MemorySite::whole(const Repository& place, const std::string& digest) const
{
    const auto found = place.manifests.find(digest);
    if (found == place.manifests.end()) return false;
    const auto manifest = Manifest::parse(found->second.media_type, found->second.bytes);
    if (!manifest || digest_of(found->second.bytes).text() != digest) return false;
    const auto holds_blob = [&](const Descriptor& blob) {
        const auto bytes = blobs_.find(blob.digest.text());
        return place.blobs.contains(blob.digest.text()) && bytes != blobs_.end() &&
               digest_of(bytes->second) == blob.digest;
    };
    return std::ranges::all_of(manifest->required_blobs(), holds_blob) &&
           std::ranges::all_of(manifest->children, [&](const Descriptor& child) {
               return whole(place, child.digest.text());
           });
}

bool MemorySite::is_whole(const RepositoryName& repository, const Reference& reference) const
{
    const std::lock_guard lock{mutex_};
    const auto found = find(repository, reference);
    return found && whole(repositories_.at(repository.text()), found->digest);
}

Result<MemorySite::Found> MemorySite::find(const RepositoryName& repository, const Reference& reference) const
{
    const auto place = repositories_.find(repository.text());
    if (place == repositories_.end()) return fail(Errc::name_unknown, "no such repository");
    auto digest = reference.text();
    if (reference.tag() != nullptr) {
        const auto tag = place->second.tags.find(digest);
        if (tag == place->second.tags.end()) return fail(Errc::manifest_unknown, "no such tag");
        digest = tag->second;
    }
    const auto held = place->second.manifests.find(digest);
    if (held == place->second.manifests.end()) return fail(Errc::manifest_unknown, "no such manifest");
    return Found{.digest = std::move(digest), .held = &held->second};
}

Task<ManifestHead> MemorySite::look(RepositoryName repository, Reference reference)
{
    const std::lock_guard lock{mutex_};
    ++counts_.looks;
    CO_TRY(const auto found, find(repository, reference));
    CO_TRY(auto digest, Digest::parse(found.digest));
    co_return ManifestHead{
        .digest = std::move(digest), .media_type = found.held->media_type, .size = found.held->bytes.size()
    };
}

Task<CopiedManifest> MemorySite::manifest(RepositoryName repository, Reference reference)
{
    const std::lock_guard lock{mutex_};
    ++counts_.manifests;
    CO_TRY(const auto found, find(repository, reference));
    CO_TRY(auto digest, Digest::parse(found.digest));
    co_return CopiedManifest{
        .digest = std::move(digest), .media_type = found.held->media_type, .bytes = found.held->bytes
    };
}

Task<BlobStream> MemorySite::blob(RepositoryName repository, Digest digest, std::uint64_t first)
{
    const std::lock_guard lock{mutex_};
    const auto place = repositories_.find(repository.text());
    const auto bytes = blobs_.find(digest.text());
    if (place == repositories_.end() || !place->second.blobs.contains(digest.text()) || bytes == blobs_.end()) {
        co_return fail(Errc::blob_unknown, "no such blob");
    }
    const auto& whole_blob = bytes->second;
    if (first > whole_blob.size()) co_return fail(Errc::range_invalid, "the blob has no such byte");
    const auto start = options_.knows_ranges ? first : 0;
    counts_.given += whole_blob.size() - start;
    co_return BlobStream{
        .body = std::make_unique<MemoryBody>(whole_blob.substr(start)), .first = start, .size = whole_blob.size()
    };
}

Task<ReferrerPage> MemorySite::referrers(RepositoryName repository, Digest subject, PageRequest page)
{
    const std::lock_guard lock{mutex_};
    ++counts_.lists;
    ReferrerPage answer;
    const auto place = repositories_.find(repository.text());
    if (place == repositories_.end()) co_return answer;
    const auto& manifests = place->second.manifests;
    for (auto entry = manifests.upper_bound(page.last); entry != manifests.end(); ++entry) {
        const auto manifest = Manifest::parse(entry->second.media_type, entry->second.bytes);
        if (!manifest || !manifest->subject || manifest->subject->digest != subject) continue;
        if (std::ssize(answer.referrers) == page.limit) {
            answer.more = true;
            break;
        }
        answer.referrers.push_back(
            {.digest = Digest::parse(entry->first).value(),
             .media_type = entry->second.media_type,
             .size = entry->second.bytes.size(),
             .artifact_type = manifest->artifact_type,
             .annotations = manifest->annotations}
        );
    }
    co_return answer;
}

template <class Map>
CopySource::Listing MemorySite::page_of(const Map& names, const PageRequest& page)
{
    Listing listing;
    for (auto entry = names.upper_bound(page.last); entry != names.end(); ++entry) {
        if (std::ssize(listing.names) == page.limit) {
            listing.next = listing.names.back();
            break;
        }
        listing.names.push_back(entry->first);
    }
    return listing;
}

Task<CopySource::Listing> MemorySite::repositories(PageRequest page)
{
    const std::lock_guard lock{mutex_};
    ++counts_.lists;
    if (!options_.lists_repositories) co_return fail(Errc::unsupported, "this registry lists no repositories");
    co_return page_of(repositories_, page);
}

Task<CopySource::Listing> MemorySite::tags(RepositoryName repository, PageRequest page)
{
    const std::lock_guard lock{mutex_};
    ++counts_.lists;
    const auto place = repositories_.find(repository.text());
    if (place == repositories_.end()) co_return fail(Errc::name_unknown, "no such repository");
    co_return page_of(place->second.tags, page);
}

MemorySite::Referring MemorySite::referring_in(const Repository& place)
{
    Referring referring;
    for (const auto& [digest, held] : place.manifests) {
        const auto manifest = Manifest::parse(held.media_type, held.bytes);
        if (manifest && manifest->subject) referring.emplace(manifest->subject->digest.text(), digest);
    }
    return referring;
}

std::vector<TagState> MemorySite::states_in(const TagRange& range, std::int64_t limit) const
{
    std::vector<TagState> states;
    auto place = repositories_.lower_bound(range.after.repository);
    for (; place != repositories_.end() && std::ssize(states) < limit; ++place) {
        const auto referring = range.with_referrers ? referring_in(place->second) : Referring{};
        for (const auto& [tag, digest] : place->second.tags) {
            TagState state{{place->first, tag}, Digest::parse(digest).value()};
            const bool beyond = !range.until.repository.empty() && state.place > range.until;
            if (beyond || std::ssize(states) == limit) return states;
            if (state.place <= range.after) continue;
            std::vector<std::string> all;
            std::vector<std::string> level{digest};
            for (int depth = 0; depth < tags_referrers_deep && !level.empty(); ++depth) {
                std::vector<std::string> next;
                for (const auto& subject : level) {
                    const auto [begin, end] = referring.equal_range(subject);
                    for (auto each = begin; each != end; ++each) next.push_back(each->second);
                }
                all.insert(all.end(), next.begin(), next.end());
                level = std::move(next);
            }
            if (!all.empty()) state.referrers = digest_of_referrers(std::move(all));
            states.push_back(std::move(state));
        }
    }
    return states;
}

Task<TagSummary> MemorySite::tag_summary(TagRange range)
{
    const std::lock_guard lock{mutex_};
    ++counts_.summaries;
    if (!options_.tells_states) co_return fail(Errc::unsupported, "this registry tells no states");
    auto states = states_in(range, range.limit + 1);
    co_return summary_of(states, range);
}

Task<std::vector<TagState>> MemorySite::tag_states(TagRange range)
{
    const std::lock_guard lock{mutex_};
    if (!options_.tells_states) co_return fail(Errc::unsupported, "this registry tells no states");
    auto states = states_in(range, range.limit);
    counts_.states += states.size();
    co_return states;
}

Task<> MemorySite::prepare(RepositoryName repository)
{
    const std::lock_guard lock{mutex_};
    ++counts_.prepared;
    repositories_[repository.text()];
    co_return Result<>{};
}

Task<bool> MemorySite::holds(RepositoryName repository, Digest digest)
{
    const std::lock_guard lock{mutex_};
    const auto place = repositories_.find(repository.text());
    co_return place != repositories_.end() && place->second.blobs.contains(digest.text());
}

Task<bool> MemorySite::mount(RepositoryName into, RepositoryName from, Digest digest)
{
    const std::lock_guard lock{mutex_};
    const auto place = repositories_.find(from.text());
    if (place == repositories_.end() || !place->second.blobs.contains(digest.text())) co_return false;
    ++counts_.mounts;
    repositories_[into.text()].blobs.insert(digest.text());
    co_return true;
}

bool MemorySite::has_room(std::uint64_t more) const
{
    std::uint64_t sum = more;
    for (const auto& [digest, bytes] : blobs_) sum += bytes.size();
    for (const auto& [place, upload] : uploads_) sum += upload.bytes.size();
    return sum <= options_.room;
}

Task<> MemorySite::put(RepositoryName repository, Digest digest, std::string bytes)
{
    const std::lock_guard lock{mutex_};
    counts_.received += bytes.size();
    if (digest_of(bytes, digest.algorithm()) != digest) co_return fail(Errc::digest_mismatch, "another digest");
    if (!has_room(bytes.size())) co_return fail(Errc::storage_full, "the storage is full");
    blobs_.insert_or_assign(digest.text(), std::move(bytes));
    repositories_[repository.text()].blobs.insert(digest.text());
    co_return Result<>{};
}

Task<CopyUpload>
MemorySite::begin(RepositoryName repository, DigestAlgorithm /*algorithm*/, std::optional<std::uint64_t> size)
{
    const std::lock_guard lock{mutex_};
    ++counts_.begun;
    auto place = "upload-" + std::to_string(++last_upload_);
    uploads_[place] = {.repository = repository.text(), .bytes = {}, .size = size};
    co_return CopyUpload{.place = std::move(place), .offset = 0, .shortest_chunk = options_.shortest_chunk};
}

Task<CopyUpload> MemorySite::resume(RepositoryName repository, std::string place)
{
    const std::lock_guard lock{mutex_};
    const auto upload = uploads_.find(place);
    if (upload == uploads_.end() || upload->second.repository != repository.text()) co_return upload_unknown();
    co_return CopyUpload{
        .place = std::move(place), .offset = upload->second.bytes.size(), .shortest_chunk = options_.shortest_chunk
    };
}

Task<CopyUpload>
MemorySite::append(RepositoryName repository, CopyUpload upload, ByteSource& body, std::uint64_t length)
{
    {
        const std::lock_guard lock{mutex_};
        const auto found = uploads_.find(upload.place);
        if (found == uploads_.end() || found->second.repository != repository.text()) co_return upload_unknown();
        const auto& under_way = found->second;
        if (under_way.bytes.size() != upload.offset) co_return fail(Errc::upload_offset, "another place");
        const bool last = under_way.size && upload.offset + length == *under_way.size;
        const bool more = under_way.size && !last;
        if (more && length < options_.shortest_chunk) co_return fail(Errc::size_invalid, "too short a chunk");
        if (!options_.takes_chunks && (upload.offset != 0 || !last)) co_return fail(Errc::unsupported, "no chunks");
    }
    std::string chunk;
    std::optional<Error> failure;
    Buffer buffer;
    while (chunk.size() < length && !failure) {
        const auto wanted = std::min<std::uint64_t>(buffer.room().size(), length - chunk.size());
        const auto count = co_await body.read(buffer.room().first(static_cast<std::size_t>(wanted)));
        if (!count) {
            failure = count.error();
        } else if (*count == 0) {
            failure = Error{Errc::size_invalid, "the body is too short"};
        } else {
            chunk += as_text(buffer.room().first(*count));
        }
    }
    const std::lock_guard lock{mutex_};
    counts_.received += chunk.size();
    const auto found = uploads_.find(upload.place);
    if (found == uploads_.end()) co_return upload_unknown();
    if (found->second.bytes.size() != upload.offset) co_return fail(Errc::cancelled, "taken over");
    if (!has_room(chunk.size())) co_return fail(Errc::storage_full, "the storage is full");
    if (!failure || options_.keeps_partial_chunks) found->second.bytes += chunk;
    if (failure) co_return std::unexpected{*failure};
    upload.offset = found->second.bytes.size();
    co_return upload;
}

Task<> MemorySite::finish(RepositoryName repository, CopyUpload upload, Digest digest)
{
    const std::lock_guard lock{mutex_};
    const auto found = uploads_.find(upload.place);
    if (found == uploads_.end() || found->second.repository != repository.text()) co_return upload_unknown();
    auto bytes = std::move(found->second.bytes);
    uploads_.erase(found);
    if (digest_of(bytes, digest.algorithm()) != digest) co_return fail(Errc::digest_mismatch, "another digest");
    blobs_.insert_or_assign(digest.text(), std::move(bytes));
    repositories_[repository.text()].blobs.insert(digest.text());
    co_return Result<>{};
}

Task<> MemorySite::cancel(RepositoryName, std::string place)
{
    const std::lock_guard lock{mutex_};
    uploads_.erase(place);
    co_return Result<>{};
}

Task<> MemorySite::push(RepositoryName repository, Reference reference, CopiedManifest manifest)
{
    const std::lock_guard lock{mutex_};
    const auto digest = digest_of(manifest.bytes, manifest.digest.algorithm());
    const auto* named = reference.digest();
    if (digest != manifest.digest || (named != nullptr && *named != digest)) {
        co_return fail(Errc::digest_mismatch, "the manifest has another digest");
    }
    CO_TRY(const auto parsed, Manifest::parse(manifest.media_type, manifest.bytes));
    auto& place = repositories_[repository.text()];
    for (const auto& blob : parsed.required_blobs()) {
        if (!place.blobs.contains(blob.digest.text())) {
            co_return fail(Errc::manifest_blob_unknown, "a blob is missing: " + blob.digest.text());
        }
    }
    ++counts_.pushes;
    place.manifests.insert_or_assign(
        digest.text(), Held{.media_type = std::move(manifest.media_type), .bytes = std::move(manifest.bytes)}
    );
    if (reference.tag() != nullptr) place.tags.insert_or_assign(reference.text(), digest.text());
    co_return Result<>{};
}

Task<> MemorySite::remove(RepositoryName repository, Reference reference)
{
    const std::lock_guard lock{mutex_};
    CO_TRY(const auto found, find(repository, reference));
    auto& place = repositories_[repository.text()];
    if (reference.tag() != nullptr) {
        place.tags.erase(reference.text());
    } else {
        std::erase_if(place.tags, [&](const auto& tag) { return tag.second == found.digest; });
        place.manifests.erase(found.digest);
    }
    co_return Result<>{};
}

}  // namespace entrepot
