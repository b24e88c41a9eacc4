#pragma once

#include "core/buffer.hpp"
#include "core/bytes.hpp"
#include "core/task.hpp"
#include "oci/digest.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// Where blobs lie as bytes. Knows digests and sizes, no repositories: who may read what is the catalog's matter.
// Every method is safe from any loop; tasks resume on their caller's executor.

// A committed blob, ready to be sent: small ones as bytes in memory, larger ones as an open file.
struct BlobContent {
    std::uint64_t size = 0;
    std::shared_ptr<const std::string> bytes;  // either this,
    std::shared_ptr<const OpenFile> file;      // or this
};

// A blob of the store by name.
struct StoredBlob {
    Digest digest;
    std::uint64_t size = 0;
};

class BlobReader {
public:
    virtual ~BlobReader() = default;

    // From memory or a file already open; nullopt when disk must be touched. Never blocks.
    virtual std::optional<BlobContent> peek(const Digest& digest) = 0;
    // blob_unknown, unavailable.
    virtual Task<BlobContent> load(Digest digest) = 0;
};

// Names the bytes of one upload in the store: [0-9a-f]{32}.
struct UploadId {
    std::string text{};

    static std::optional<UploadId> parse(std::string_view text);
    bool operator==(const UploadId&) const = default;
};

// Bytes on their way to become a blob. Owned by one request at a time; destroying it without commit() keeps what
// settle() last reported, so that another request can go on.
class BlobUpload {
public:
    virtual ~BlobUpload() = default;

    // Takes the bytes over. May return before they are hashed and written: a few chunks travel at a time, a
    // failure shows on a later call. storage_full, unavailable.
    virtual Task<> append(Buffer chunk) = 0;

    struct Progress {
        std::uint64_t offset = 0;  // bytes written so far
        std::string hash_state;    // of exactly these bytes (Hasher::state)
    };
    // Waits until everything appended is written (to the page cache: it survives kill -9, not a power loss).
    virtual Task<Progress> settle() = 0;

    // Verifies, makes durable (data and directory synced), and visible to BlobReader. The upload's bytes are used up:
    // on success they are the blob, and on digest_mismatch they are gone. A digest that is already stored succeeds.
    // digest_mismatch, storage_full, unavailable. Returns the blob's size.
    virtual Task<std::uint64_t> commit(Digest expected) = 0;
};

class BlobIngest {
public:
    virtual ~BlobIngest() = default;

    // Opens the upload's bytes for writing at `offset` with the hash state of exactly that many bytes (empty: they are
    // hashed again from the store); bytes beyond are cut off. The bytes of one upload have one writer: a second
    // resume() asks the first to stop (its calls answer `cancelled`) and waits for that; from another process it is
    // `conflict`. upload_unknown when fewer bytes are stored than `offset`.
    virtual Task<std::unique_ptr<BlobUpload>>
    resume(UploadId id, DigestAlgorithm algorithm, std::uint64_t offset, std::string hash_state) = 0;

    // A small blob that is already in memory and whose digest the caller has verified: one step, durable and visible.
    virtual Task<> put(Digest digest, std::string bytes) = 0;

    // Drops an upload's bytes; none there is success.
    virtual Task<> discard(UploadId id) = 0;

    // Makes sure that a blob which may have been stored just before a crash is durable, and returns its size.
    // blob_unknown.
    virtual Task<std::uint64_t> confirm(Digest digest) = 0;
};

// Takes bytes out of the store. One at a time, among all processes that share it: a process that has stopped for an
// hour and then goes on must not remove what was stored again meanwhile. The right ends with this object.
class BlobRemover {
public:
    virtual ~BlobRemover() = default;

    struct Removed {
        std::uint64_t blobs = 0;  // that were there
        std::uint64_t bytes = 0;  // freed by them
    };
    // What is gone already is no failure. unavailable: some may be gone, all have to be removed again. After a power
    // loss some may be back: orphans, to be found by a scrub.
    virtual Task<Removed> remove(std::vector<Digest> digests) = 0;
};

class BlobRemoval {
public:
    virtual ~BlobRemoval() = default;
    // conflict while another one lives; unavailable.
    virtual Task<std::unique_ptr<BlobRemover>> begin_removal() = 0;
};

// What operations need of the store.
class BlobStoreHealth {
public:
    virtual ~BlobStoreHealth() = default;
    // Writes and reads back a few bytes. unavailable, storage_full.
    virtual Task<> probe() = 0;
};

// How much there is room for, in bytes.
struct StorageSpace {
    std::uint64_t total = 0;
    std::uint64_t free = 0;
};
class BlobStoreSpace {
public:
    virtual ~BlobStoreSpace() = default;
    virtual Task<StorageSpace> space() = 0;  // unavailable
};

}  // namespace entrepot
