#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "oci/digest.hpp"
#include "ports/blob_store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace entrepot {

// A blob as it lies in the store, whoever knows of it.
struct ListedBlob {
    Digest digest;
    std::uint64_t size = 0;
    Micros stored_at = 0;
};

// The bytes of an upload that has not become a blob.
struct ListedUpload {
    UploadId id;
    std::uint64_t size = 0;
    Micros written_at = 0;  // last
};

// Reads one blob's bytes again, past every cache that can be passed by. One caller at a time; destroying it in the
// middle is fine.
class BlobCheck {
public:
    virtual ~BlobCheck() = default;

    // Hashes at most `most` further bytes; how many, 0 at the end. corrupt: the device does not give them back.
    // unavailable.
    virtual Task<std::uint64_t> read(std::uint64_t most) = 0;
    // Of all that was read so far.
    virtual Digest actual() const = 0;
    virtual std::uint64_t size() const noexcept = 0;

    // Moves aside the very bytes that were looked at, durably, so that nobody is served them any more. False where
    // others have taken their place or they were removed: those stay as they are. unavailable.
    virtual Task<bool> quarantine() = 0;
};

// What is in the store, for who compares it with what should be. Safe from any loop.
class BlobInventory {
public:
    virtual ~BlobInventory() = default;

    // In the order of their digests' texts, those after `after` (empty: from the start); fewer than `limit` only at the
    // end. What comes and goes meanwhile may be missing or listed. unavailable.
    virtual Task<std::vector<ListedBlob>> list(std::string after, std::size_t limit) = 0;
    virtual Task<std::unique_ptr<BlobCheck>> check(Digest digest) = 0;  // blob_unknown, unavailable

    // The same of uploads, in the order of their ids.
    virtual Task<std::vector<ListedUpload>> list_uploads(std::string after, std::size_t limit) = 0;
    // Removes the bytes of an upload that nobody writes to and that are as old as they were when listed; false
    // otherwise. unavailable.
    virtual Task<bool> discard_stray(ListedUpload upload) = 0;
};

}  // namespace entrepot
