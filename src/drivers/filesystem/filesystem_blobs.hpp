#pragma once

#include "ports/blob_inventory.hpp"
#include "ports/blob_store.hpp"
#include "ports/upload_view.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

struct FilesystemOptions {
    std::string root;
    std::size_t cache_bytes = 16 << 20;    // memory for blobs of at most 64 KB
    std::size_t open_files = 512;          // descriptors kept open for larger ones
    unsigned sync_threads = 16;            // how many files may wait for the device at once
    unsigned work_threads = 4;             // reading, hashing, writing
    std::size_t journal_bytes = 16 << 20;  // disk for the journal of small blobs; 0: each is synced by itself
};

// Blobs as files under one directory, laid out as docs/formats/blob-layout.md draws it. Safe from any thread: nothing
// here blocks a loop, disk work runs on the store's own threads. Several processes may share the directory. A full disk
// is storage_full, any other failure of the system unavailable.
class FilesystemBlobs final : public BlobReader,
                              public BlobIngest,
                              public BlobRemoval,
                              public BlobStoreHealth,
                              public BlobStoreSpace,
                              public UploadViews {
public:
    // Creates what is missing below `root`, sweeps what killed processes left behind, and replays their journals.
    // Throws std::runtime_error where the directory can't be used.
    explicit FilesystemBlobs(FilesystemOptions options);
    // Requires that no upload and no task of this store is alive. Stops if nobody did.
    ~FilesystemBlobs() override;
    FilesystemBlobs(const FilesystemBlobs&) = delete;
    FilesystemBlobs& operator=(const FilesystemBlobs&) = delete;

    // Finishes the work at hand and joins the threads; only peek() may be called afterwards. Blocks.
    void stop();

    // What the journals of killed processes brought back at the start: blobs that were lost, never finished, or
    // removed. The catalog knows which.
    const std::vector<StoredBlob>& restored() const noexcept;

    std::optional<BlobContent> peek(const Digest& digest) override;
    Task<BlobContent> load(Digest digest) override;

    Task<std::unique_ptr<BlobUpload>>
    resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state) override;
    Task<> put(Digest digest, std::string bytes) override;
    Task<> discard(UploadId id) override;
    Task<std::uint64_t> confirm(Digest digest) override;

    Task<std::shared_ptr<UploadView>> view(UploadId id) override;

    Task<std::unique_ptr<BlobRemover>> begin_removal() override;

    // Lives as long as this store.
    BlobInventory& inventory() noexcept;

    Task<> probe() override;
    Task<StorageSpace> space() override;

private:
    struct Parts;
    class Remover;
    std::unique_ptr<Parts> parts_;
};

}  // namespace entrepot
