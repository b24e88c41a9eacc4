#pragma once

#include "ports/blob_inventory.hpp"
#include "ports/blob_store.hpp"
#include "ports/upload_view.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace entrepot {

// Blobs in memory, for tests: it keeps the whole contract except that nothing outlives it. Safe from any thread.
class MemoryBlobs final : public BlobReader,
                          public BlobIngest,
                          public BlobRemoval,
                          public BlobInventory,
                          public BlobStoreHealth,
                          public UploadViews {
public:
    // What lies there is what was stored then, until it is set again; before that, 0.
    void set_time(Micros now);
    // Other bytes under the same name, as of a device that forgets; the blob is there.
    void rot(const Digest& digest, std::string bytes);

    BlobInventory& inventory() noexcept { return *this; }
    Task<std::vector<ListedBlob>> list(std::string after, std::size_t limit) override;
    Task<std::unique_ptr<BlobCheck>> check(Digest digest) override;
    Task<std::vector<ListedUpload>> list_uploads(std::string after, std::size_t limit) override;
    Task<bool> discard_stray(ListedUpload upload) override;

    std::optional<BlobContent> peek(const Digest& digest) override;
    Task<BlobContent> load(Digest digest) override;

    Task<std::unique_ptr<BlobUpload>>
    resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state) override;
    Task<> put(Digest digest, std::string bytes) override;
    Task<> discard(UploadId id) override;
    Task<std::uint64_t> confirm(Digest digest) override;

    Task<std::shared_ptr<UploadView>> view(UploadId id) override;

    Task<std::unique_ptr<BlobRemover>> begin_removal() override;

    Task<> probe() override;

private:
    friend class MemoryUpload;
    friend class MemoryRemover;
    friend class MemoryCheck;
    friend class MemoryUploadView;

    struct Upload {
        std::shared_ptr<std::string> bytes = std::make_shared<std::string>();
        std::int64_t writer = 0;  // the latest; others are cancelled
        bool open = false;        // by that one
        Micros written_at = 0;
    };
    struct Blob {
        std::shared_ptr<const std::string> bytes;
        Micros stored_at = 0;
    };
    void store(Digest digest, std::string bytes);
    std::mutex mutex_;
    Micros now_ = 0;
    std::map<Digest, Blob> blobs_;
    std::map<std::string, Upload> uploads_;
    std::int64_t last_writer_ = 0;
    bool removing_ = false;
};

}  // namespace entrepot
