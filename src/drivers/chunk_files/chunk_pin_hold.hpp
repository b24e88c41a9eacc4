#pragma once

#include "drivers/chunk_files/blob_chunks.hpp"
#include "drivers/chunk_files/chunk_files.hpp"

#include <memory>
#include <utility>

namespace entrepot {

// What the copies of one pin share. Made under the store's mutex, so that nobody evicts the blob from then on.
struct ChunkPin::Hold {
    explicit Hold(std::shared_ptr<BlobChunks> pinned) : blob{std::move(pinned)} { ++blob->pins; }
    ~Hold()
    {
        file.reset();
        --blob->pins;
    }
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;

    std::shared_ptr<BlobChunks> blob;
    OpenBlob file;
};

}  // namespace entrepot
