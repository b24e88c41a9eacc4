#pragma once

#include "ports/blob_store.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace entrepot {

// Blobs in memory, for tests: it keeps the whole contract except that nothing outlives it. Safe from any thread.
class MemoryBlobs final : public BlobReader, public BlobIngest, public BlobRemoval, public BlobStoreHealth {
public:
    std::optional<BlobContent> peek(const Digest& digest) override;
    Task<BlobContent> load(Digest digest) override;

    Task<std::unique_ptr<BlobUpload>>
    resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state) override;
    Task<> put(Digest digest, std::string bytes) override;
    Task<> discard(UploadId id) override;
    Task<std::uint64_t> confirm(Digest digest) override;

    Task<std::unique_ptr<BlobRemover>> begin_removal() override;

    Task<> probe() override;

private:
    friend class MemoryUpload;
    friend class MemoryRemover;

    struct Upload {
        std::string bytes;
        std::int64_t writer = 0;  // the latest; others are cancelled
    };
    std::mutex mutex_;
    std::unordered_map<Digest, std::shared_ptr<const std::string>> blobs_;
    std::map<std::string, Upload> uploads_;
    std::int64_t last_writer_ = 0;
    bool removing_ = false;
};

}  // namespace entrepot
