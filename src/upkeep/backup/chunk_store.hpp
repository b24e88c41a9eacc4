#pragma once

#include "ports/backup_target.hpp"
#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/row_chunk.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace entrepot {

// Chunks in a target, each compressed and named by the SHA-256 of what it holds: what is there already is not written
// again. The target outlives it.
class ChunkStore {
public:
    explicit ChunkStore(BackupTarget& target) noexcept : target_{target} {}

    // Its name: 64 hexadecimal digits. `written` counts what was not there.
    Result<std::string> put(std::string_view content, BackupManifest::Written& written);
    // corrupt when it is not what its name says, not_found; the message names the chunk.
    Result<std::string> get(const std::string& hash);
    // The rows of a chunk of `table`.
    Result<RowChunk> rows(const std::string& hash, const std::string& table);

private:
    BackupTarget& target_;
};

// A blob as a backup's rows have it.
struct KeptBlob {
    std::string digest;
    std::uint64_t size = 0;
    bool is_live = true;  // some repository holds it; others may have no bytes
};
// Those that have bytes, or may have, in the order of their ids.
Result<> read_blob_rows(
    ChunkStore& chunks, const BackupManifest& manifest, const std::function<Result<>(const KeptBlob&)>& each
);

}  // namespace entrepot
