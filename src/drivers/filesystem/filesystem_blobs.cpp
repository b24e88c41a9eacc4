#include "drivers/filesystem/filesystem_blobs.hpp"

#include "drivers/filesystem/blob_cache.hpp"
#include "drivers/filesystem/blob_tree.hpp"
#include "drivers/filesystem/filesystem_inventory.hpp"
#include "drivers/filesystem/open_uploads.hpp"
#include "drivers/filesystem/small_blobs.hpp"
#include "drivers/filesystem/upload_file_view.hpp"
#include "oci/hasher.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace entrepot {
namespace {

Result<BlobContent> read_blob(const BlobTree& tree, const Digest& digest)
{
    TRY(auto file, tree.open_blob(digest));
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("fstat a blob");
    BlobContent content;
    content.size = static_cast<std::uint64_t>(status.st_size);
    if (content.size > BlobCache::small) {
        content.file = std::make_shared<const OpenFile>(file.release());
        return content;
    }
    std::string bytes(content.size, '\0');
    TRY(const auto count, read_some(file.get(), std::as_writable_bytes(std::span{bytes}), 0));
    // Small ones are verified: in memory they would outlive what a repair does to the disk.
    if (count != content.size || digest_of(bytes, digest.algorithm()) != digest) {
        return fail(Errc::corrupt, "the stored blob is damaged", digest.text());
    }
    content.bytes = std::make_shared<const std::string>(std::move(bytes));
    return content;
}

// False for a file that another process has removed, replaced or moved aside since it was opened.
bool is_current(const BlobContent& content)
{
    if (!content.file) return true;
    struct stat status{};
    return ::fstat(content.file->descriptor(), &status) == 0 && status.st_nlink > 0 && (status.st_mode & S_IRUSR) != 0;
}

std::optional<BlobContent> find_current(BlobCache& cache, const Digest& digest)
{
    auto content = cache.find(digest);
    if (!content || is_current(*content)) return content;
    cache.forget(digest);
    return std::nullopt;
}

Result<std::uint64_t> sync_blob(const BlobTree& tree, const Digest& digest)
{
    TRY(const auto file, tree.open_blob(digest));
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return system_failure("fstat a blob");
    CHECK(sync_data(file.get()));
    CHECK(tree.sync_name(digest));
    return static_cast<std::uint64_t>(status.st_size);
}

Result<> write_and_read_back(BlobTree& tree)
{
    constexpr std::string_view text = "entrepot: can the store be written to?";
    TRY(const auto temporary, tree.write_temporary(as_bytes(text)));
    std::string back(text.size(), '\0');
    const auto count = read_some(temporary.file.get(), std::as_writable_bytes(std::span{back}), 0);
    tree.remove_temporary(temporary);
    if (!count) return std::unexpected{count.error()};
    if (back != text)
        return fail(Errc::unavailable, "the storage can't be used at the moment", "read other bytes than written");
    return {};
}

bool well_formed(const UploadId& id)
{
    const auto is_digit = [](char letter) {
        return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
    };
    return id.text.size() == 32 && std::ranges::all_of(id.text, is_digit);
}

}  // namespace

struct FilesystemBlobs::Parts {
    explicit Parts(const FilesystemOptions& options)
        : tree{options.root},
          cache{options.cache_bytes, options.open_files},
          working{std::max(1U, options.work_threads)},
          syncing{std::max(1U, options.sync_threads)},
          small{tree, cache, working, syncing, options.journal_bytes},
          inventory{tree, cache, removals, working}
    {
    }

    BlobTree tree;
    BlobCache cache;
    std::atomic<std::uint64_t> removals{0};
    OpenUploads uploads;
    asio::thread_pool working;
    asio::thread_pool syncing;
    SmallBlobs small;
    FilesystemInventory inventory;
};

FilesystemBlobs::FilesystemBlobs(FilesystemOptions options) : parts_{std::make_unique<Parts>(options)} {}

FilesystemBlobs::~FilesystemBlobs()
{
    stop();
}

void FilesystemBlobs::stop()
{
    parts_->working.join();
    parts_->syncing.join();
    parts_->small.stop();
}

std::optional<BlobContent> FilesystemBlobs::peek(const Digest& digest)
{
    return find_current(parts_->cache, digest);
}

Task<BlobContent> FilesystemBlobs::load(Digest digest)
{
    if (auto content = find_current(parts_->cache, digest)) co_return *std::move(content);
    auto read = [parts = parts_.get(), digest = std::move(digest)] {
        const auto removals = parts->removals.load();
        auto content = read_blob(parts->tree, digest);
        if (content) parts->cache.keep(digest, *content);
        // Removed since it was opened: kept any longer, it would keep the disk's space.
        if (parts->removals.load() != removals) parts->cache.forget(digest);
        return content;
    };
    auto content = co_await offload(parts_->working, std::move(read));
    co_return content;
}

Task<> FilesystemBlobs::put(Digest digest, std::string bytes)
{
    if (bytes.size() <= BlobCache::small) co_return co_await parts_->small.put(std::move(digest), std::move(bytes));
    auto write = [parts = parts_.get(), digest = std::move(digest), bytes = std::move(bytes)] {
        return write_durably(parts->tree, digest, bytes);
    };
    auto written = co_await offload(parts_->syncing, std::move(write));
    co_return written;
}

Task<std::unique_ptr<BlobUpload>>
FilesystemBlobs::resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state)
{
    if (!well_formed(id)) co_return fail(Errc::upload_unknown, "the upload is not known");
    Hasher hasher{algorithm};
    const bool hash_again = offset > 0 && hash_state.empty();
    if (!hash_state.empty()) {
        CO_TRY(hasher, Hasher::resume(hash_state));
        if (hasher.algorithm() != algorithm)
            co_return fail(Errc::corrupt, "the upload's hash state is of another algorithm");
    }
    const UploadFile::Home home{parts_->tree, parts_->uploads, parts_->working};
    auto file = std::make_shared<UploadFile>(home, std::move(id), std::move(hasher), offset);
    auto upload = std::make_unique<FilesystemUpload>(file, parts_->small, parts_->syncing);
    auto open = [file, previous = parts_->uploads.enter(file), hash_again] { return file->open(previous, hash_again); };
    CO_CHECK(co_await offload(parts_->syncing, std::move(open)));
    co_return std::move(upload);
}

Task<> FilesystemBlobs::discard(UploadId id)
{
    if (!well_formed(id)) co_return Result<>{};
    auto remove = [parts = parts_.get(), id = std::move(id)]() -> Result<> {
        if (const auto writer = parts->uploads.find(id)) CHECK(writer->retire());
        if (::unlinkat(parts->tree.uploads(), id.text.c_str(), 0) == 0 || errno == ENOENT) return {};
        return system_failure("remove an upload");
    };
    auto removed = co_await offload(parts_->syncing, std::move(remove));
    co_return removed;
}

Task<std::shared_ptr<UploadView>> FilesystemBlobs::view(UploadId id)
{
    if (!well_formed(id)) co_return fail(Errc::upload_unknown, "the upload is not known");
    auto open = [parts = parts_.get(), id = std::move(id)] { return view_upload(parts->tree.uploads(), id); };
    auto opened = co_await offload(parts_->working, std::move(open));
    co_return opened;
}

Task<std::uint64_t> FilesystemBlobs::confirm(Digest digest)
{
    auto sync = [parts = parts_.get(), digest = std::move(digest)] { return sync_blob(parts->tree, digest); };
    auto size = co_await offload(parts_->syncing, std::move(sync));
    co_return size;
}

namespace {

// A disk that answers each removal in milliseconds takes many at a time; uploads keep the other half of the threads.
constexpr std::size_t removed_at_once = 8;

// Digests on their way out, by several threads. The last of them completes it.
class RemovalBatch {
public:
    using Removed = BlobRemover::Removed;
    RemovalBatch(std::vector<Digest> digests, std::size_t threads, Completion<Removed> completion)
        : digests_{std::move(digests)}, threads_{threads}, completion_{std::move(completion)}
    {
    }

    // Takes one digest after the other; `remove` answers the size of what was there.
    template <class Remove>
    void work(Remove remove)
    {
        for (auto index = next_++; index < digests_.size(); index = next_++) {
            const Result<std::optional<std::uint64_t>> size = remove(digests_[index]);
            const std::lock_guard guard{mutex_};
            if (!size) failure_ = size.error();
            removed_.blobs += size && *size ? 1 : 0;
            removed_.bytes += size ? size->value_or(0) : 0;
        }
        if (--threads_ > 0) return;
        completion_.complete(failure_ ? Result<Removed>{std::unexpected{*failure_}} : Result<Removed>{removed_});
    }

private:
    const std::vector<Digest> digests_;
    std::atomic<std::size_t> next_{0};
    std::atomic<std::size_t> threads_;
    std::mutex mutex_;
    Removed removed_;
    std::optional<Error> failure_;
    Completion<Removed> completion_;
};

}  // namespace

class FilesystemBlobs::Remover final : public BlobRemover {
public:
    Remover(Parts& parts, FileDescriptor lock) : parts_{parts}, lock_{std::move(lock)} {}

    Task<Removed> remove(std::vector<Digest> digests) override
    {
        if (digests.empty()) co_return Removed{};
        const auto threads = std::min(digests.size(), removed_at_once);
        auto start = [parts = &parts_, digests = std::move(digests), threads](Completion<Removed> completion) mutable {
            const auto batch = std::make_shared<RemovalBatch>(std::move(digests), threads, std::move(completion));
            const auto remove = [parts](const Digest& digest) {
                auto size = parts->tree.remove_blob(digest);
                parts->removals.fetch_add(1);
                parts->cache.forget(digest);
                return size;
            };
            for (std::size_t i = 0; i < threads; ++i) {
                asio::post(parts->syncing, [batch, remove] { batch->work(remove); });
            }
        };
        co_return co_await completed_by<Removed>(std::move(start));
    }

private:
    Parts& parts_;
    FileDescriptor lock_;
};

Task<std::unique_ptr<BlobRemover>> FilesystemBlobs::begin_removal()
{
    auto take = [parts = parts_.get()] { return parts->tree.lock_removal(); };
    CO_TRY(auto lock, co_await offload(parts_->working, std::move(take)));
    co_return std::make_unique<Remover>(*parts_, std::move(lock));
}

const std::vector<StoredBlob>& FilesystemBlobs::restored() const noexcept
{
    return parts_->small.restored();
}

BlobInventory& FilesystemBlobs::inventory() noexcept
{
    return parts_->inventory;
}

Task<> FilesystemBlobs::probe()
{
    auto check = [parts = parts_.get()] { return write_and_read_back(parts->tree); };
    auto checked = co_await offload(parts_->working, std::move(check));
    co_return checked;
}

Task<StorageSpace> FilesystemBlobs::space()
{
    auto look = [root = parts_->tree.root()]() -> Result<StorageSpace> {
        struct statvfs seen{};
        if (::fstatvfs(root, &seen) != 0) return system_failure("fstatvfs of the store");
        return StorageSpace{.total = seen.f_blocks * seen.f_frsize, .free = seen.f_bavail * seen.f_frsize};
    };
    auto seen = co_await offload(parts_->working, std::move(look));
    co_return seen;
}

}  // namespace entrepot
