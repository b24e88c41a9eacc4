// Chunks and manifests of backups: whatever comes, reading them ends; what is a chunk is written again as it was, and
// no manifest names a file outside its place.
#include "upkeep/backup/backup_manifest.hpp"
#include "upkeep/backup/compressed.hpp"
#include "upkeep/backup/row_chunk.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto chunk = read_row_chunk(text)) {
        RowChunkWriter writer{chunk->table};
        for (const auto& row : chunk->rows) writer.add(row);
        if (writer.take() != text) std::abort();
    }
    if (const auto content = decompressed(text, 1 << 20); content && content->size() > 1 << 20) std::abort();
    if (const auto manifest = BackupManifest::parse(text)) {
        for (const auto& [path, file] : manifest->files)
            if (path.starts_with('/') || path.find("..") != path.npos) std::abort();
    }
    return 0;
}
