#pragma once

#include "core/task.hpp"
#include "oci/digest.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// The hashes of a blob's chunks (docs/formats/swarm-descriptor.md), as bytes. They follow from the blob's bytes, so
// they are never wrong and never change; they go with the blob.
struct ChunkRoot {
    Digest blob;
    std::uint64_t size = 0;  // bytes
    std::string root{};      // 32 bytes
};
struct ChunkList {
    ChunkRoot of;
    std::string hashes{};  // 32 bytes for each chunk
};

// A blob is known here while a repository or the trash holds it and its bytes are there. unavailable; store() also
// storage_full.
class ChunkCatalog {
public:
    virtual ~ChunkCatalog() = default;

    // Of those of the blobs that are known and were stored, in no particular order, each once.
    virtual Task<std::vector<ChunkRoot>> roots(std::vector<Digest> blobs) = 0;
    // blob_unknown: the blob is not known, or none were stored.
    virtual Task<std::string> hashes(Digest blob) = 0;
    // Again is success. What is acknowledged need not survive a loss of power: it can be made again. blob_unknown: no
    // such blob is known; corrupt: it has another size.
    virtual Task<> store(ChunkList list) = 0;
};

}  // namespace entrepot
