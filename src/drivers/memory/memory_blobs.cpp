#include "drivers/memory/memory_blobs.hpp"

#include "oci/hasher.hpp"

#include <utility>

namespace entrepot {

class MemoryUpload final : public BlobUpload {
public:
    MemoryUpload(MemoryBlobs& blobs, UploadId id, std::int64_t writer, Hasher hasher)
        : blobs_{blobs}, id_{std::move(id)}, writer_{writer}, hasher_{std::move(hasher)}
    {
    }

    ~MemoryUpload() override
    {
        const std::lock_guard guard{blobs_.mutex_};
        if (const auto upload = mine()) (*upload)->open = false;
    }
    MemoryUpload(const MemoryUpload&) = delete;
    MemoryUpload& operator=(const MemoryUpload&) = delete;

    Task<> append(Buffer chunk) override
    {
        const std::lock_guard guard{blobs_.mutex_};
        CO_TRY(auto* const upload, mine());
        *upload->bytes += as_text(chunk.bytes());
        upload->written_at = blobs_.now_;
        hasher_.update(chunk.bytes());
        co_return Result<>{};
    }

    Task<Progress> settle() override
    {
        const std::lock_guard guard{blobs_.mutex_};
        CO_TRY(const auto* const upload, mine());
        co_return Progress{upload->bytes->size(), hasher_.state()};
    }

    Task<std::uint64_t> commit(Digest expected) override
    {
        const std::lock_guard guard{blobs_.mutex_};
        CO_TRY(auto* const upload, mine());
        auto bytes = *upload->bytes;  // views go on reading the upload's own
        blobs_.uploads_.erase(id_.text);
        if (hasher_.algorithm() != expected.algorithm() || hasher_.digest() != expected) {
            co_return fail(Errc::digest_mismatch, "the content does not have the digest " + expected.text());
        }
        const std::uint64_t size = bytes.size();
        blobs_.store(expected, std::move(bytes));
        co_return size;
    }

private:
    Result<MemoryBlobs::Upload*> mine()
    {
        const auto place = blobs_.uploads_.find(id_.text);
        if (place == blobs_.uploads_.end()) return fail(Errc::upload_unknown, "the upload has ended");
        if (place->second.writer != writer_) return fail(Errc::cancelled, "another request took the upload over");
        return &place->second;
    }

    MemoryBlobs& blobs_;
    const UploadId id_;
    const std::int64_t writer_;
    Hasher hasher_;
};

class MemoryUploadView final : public UploadView {
public:
    MemoryUploadView(MemoryBlobs& blobs, std::shared_ptr<const std::string> bytes)
        : blobs_{blobs}, bytes_{std::move(bytes)}
    {
    }

    std::uint64_t written() const noexcept override
    {
        const std::lock_guard guard{blobs_.mutex_};
        return bytes_->size();
    }

    Result<UploadPart> part(std::uint64_t offset, std::uint64_t length) override
    {
        const std::lock_guard guard{blobs_.mutex_};
        const auto there = bytes_->size();
        if (offset > there || length > there - offset) return fail(Errc::range_invalid, "that is not written yet");
        return UploadPart{std::make_shared<const std::string>(bytes_->substr(offset, length)), nullptr};
    }

private:
    MemoryBlobs& blobs_;
    const std::shared_ptr<const std::string> bytes_;
};

class MemoryRemover final : public BlobRemover {
public:
    explicit MemoryRemover(MemoryBlobs& blobs) : blobs_{blobs} {}
    MemoryRemover(const MemoryRemover&) = delete;
    MemoryRemover& operator=(const MemoryRemover&) = delete;
    ~MemoryRemover() override
    {
        const std::lock_guard guard{blobs_.mutex_};
        blobs_.removing_ = false;
    }

    Task<Removed> remove(std::vector<Digest> digests) override
    {
        const std::lock_guard guard{blobs_.mutex_};
        Removed removed;
        for (const auto& digest : digests) {
            const auto place = blobs_.blobs_.find(digest);
            if (place == blobs_.blobs_.end()) continue;
            removed.blobs += 1;
            removed.bytes += place->second.bytes->size();
            blobs_.blobs_.erase(place);
        }
        co_return removed;
    }

private:
    MemoryBlobs& blobs_;
};

class MemoryCheck final : public BlobCheck {
public:
    MemoryCheck(MemoryBlobs& blobs, Digest digest, std::shared_ptr<const std::string> bytes)
        : blobs_{blobs}, digest_{std::move(digest)}, bytes_{std::move(bytes)}, hasher_{digest_.algorithm()}
    {
    }

    Task<std::uint64_t> read(std::uint64_t most) override
    {
        const auto piece = std::string_view{*bytes_}.substr(offset_, most);
        hasher_.update(as_bytes(piece));
        offset_ += piece.size();
        co_return piece.size();
    }
    Digest actual() const override { return hasher_.digest(); }
    std::uint64_t size() const noexcept override { return offset_; }
    Task<bool> quarantine() override
    {
        const std::lock_guard guard{blobs_.mutex_};
        const auto place = blobs_.blobs_.find(digest_);
        if (place == blobs_.blobs_.end() || place->second.bytes != bytes_) co_return false;
        blobs_.blobs_.erase(place);
        co_return true;
    }

private:
    MemoryBlobs& blobs_;
    const Digest digest_;
    const std::shared_ptr<const std::string> bytes_;
    Hasher hasher_;
    std::size_t offset_ = 0;
};

// As a file that is renamed: in the place of what was there.
void MemoryBlobs::store(Digest digest, std::string bytes)
{
    blobs_.insert_or_assign(std::move(digest), Blob{std::make_shared<const std::string>(std::move(bytes)), now_});
}

void MemoryBlobs::set_time(Micros now)
{
    const std::lock_guard guard{mutex_};
    now_ = now;
}

void MemoryBlobs::rot(const Digest& digest, std::string bytes)
{
    const std::lock_guard guard{mutex_};
    blobs_.at(digest).bytes = std::make_shared<const std::string>(std::move(bytes));
}

Task<std::vector<ListedBlob>> MemoryBlobs::list(std::string after, std::size_t limit)
{
    const std::lock_guard guard{mutex_};
    std::vector<ListedBlob> listed;
    for (const auto& [digest, blob] : blobs_) {
        if (digest.text() <= after) continue;
        if (listed.size() == limit) break;
        listed.push_back({digest, blob.bytes->size(), blob.stored_at});
    }
    co_return listed;
}

Task<std::unique_ptr<BlobCheck>> MemoryBlobs::check(Digest digest)
{
    const std::lock_guard guard{mutex_};
    const auto place = blobs_.find(digest);
    if (place == blobs_.end()) co_return fail(Errc::blob_unknown, "the blob is not known to this registry");
    co_return std::make_unique<MemoryCheck>(*this, std::move(digest), place->second.bytes);
}

Task<std::vector<ListedUpload>> MemoryBlobs::list_uploads(std::string after, std::size_t limit)
{
    const std::lock_guard guard{mutex_};
    std::vector<ListedUpload> listed;
    for (auto place = uploads_.upper_bound(after); place != uploads_.end() && listed.size() < limit; ++place) {
        listed.push_back({UploadId{place->first}, place->second.bytes->size(), place->second.written_at});
    }
    co_return listed;
}

Task<bool> MemoryBlobs::discard_stray(ListedUpload upload)
{
    const std::lock_guard guard{mutex_};
    const auto place = uploads_.find(upload.id.text);
    if (place == uploads_.end() || place->second.open || place->second.written_at != upload.written_at) co_return false;
    uploads_.erase(place);
    co_return true;
}

std::optional<BlobContent> MemoryBlobs::peek(const Digest& digest)
{
    const std::lock_guard guard{mutex_};
    const auto place = blobs_.find(digest);
    if (place == blobs_.end()) return std::nullopt;
    const auto& bytes = place->second.bytes;
    return BlobContent{bytes->size(), bytes, nullptr};
}

Task<BlobContent> MemoryBlobs::load(Digest digest)
{
    auto content = peek(digest);
    if (!content) co_return fail(Errc::blob_unknown, "the blob is not known to this registry");
    co_return *std::move(content);
}

Task<std::unique_ptr<BlobUpload>>
MemoryBlobs::resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state)
{
    Hasher hasher{algorithm};
    if (!hash_state.empty()) {
        CO_TRY(hasher, Hasher::resume(hash_state));
        if (hasher.algorithm() != algorithm)
            co_return fail(Errc::corrupt, "the upload's hash state is of another algorithm");
    }
    const std::lock_guard guard{mutex_};
    const auto place = uploads_.find(id.text);
    if (offset > 0 && (place == uploads_.end() || place->second.bytes->size() < offset)) {
        co_return fail(Errc::upload_unknown, "the upload is not known");
    }
    auto& upload = uploads_[id.text];
    upload.bytes->resize(offset);
    if (hash_state.empty()) hasher.update(as_bytes(*upload.bytes));
    upload.writer = ++last_writer_;
    upload.open = true;
    upload.written_at = now_;
    co_return std::make_unique<MemoryUpload>(*this, std::move(id), upload.writer, std::move(hasher));
}

Task<> MemoryBlobs::put(Digest digest, std::string bytes)
{
    const std::lock_guard guard{mutex_};
    store(std::move(digest), std::move(bytes));
    co_return Result<>{};
}

Task<> MemoryBlobs::discard(UploadId id)
{
    const std::lock_guard guard{mutex_};
    uploads_.erase(id.text);
    co_return Result<>{};
}

Task<std::shared_ptr<UploadView>> MemoryBlobs::view(UploadId id)
{
    const std::lock_guard guard{mutex_};
    const auto place = uploads_.find(id.text);
    if (place == uploads_.end()) co_return fail(Errc::upload_unknown, "the upload is not known");
    co_return std::make_shared<MemoryUploadView>(*this, place->second.bytes);
}

Task<std::uint64_t> MemoryBlobs::confirm(Digest digest)
{
    const std::lock_guard guard{mutex_};
    const auto place = blobs_.find(digest);
    if (place == blobs_.end()) co_return fail(Errc::blob_unknown, "the blob is not known to this registry");
    co_return place->second.bytes->size();
}

Task<std::unique_ptr<BlobRemover>> MemoryBlobs::begin_removal()
{
    const std::lock_guard guard{mutex_};
    if (removing_) co_return fail(Errc::conflict, "blobs are being removed already");
    removing_ = true;
    co_return std::make_unique<MemoryRemover>(*this);
}

Task<> MemoryBlobs::probe()
{
    co_return Result<>{};
}

}  // namespace entrepot
