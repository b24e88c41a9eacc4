#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/file_descriptor.hpp"
#include "drivers/chunk_files/chunk_disk.hpp"
#include "drivers/chunk_files/chunk_index.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace entrepot {

// The name of a blob's files: the digest's 64 hexadecimal digits.
std::string chunk_file_name(const Sha256& digest);

// The directories of a chunk store (docs/formats/chunk-store.md), locked for this process as long as it lives. Safe
// from any thread; all blocks.
class ChunkFolder {
public:
    // Makes what is missing. conflict: another process has it; unsupported: another version wrote it; storage_full,
    // unavailable.
    static Result<ChunkFolder> open(const std::filesystem::path& root, ChunkDisk& disk);

    int root() const noexcept { return root_.get(); }
    int index() const noexcept { return index_.get(); }
    int partial() const noexcept { return partial_.get(); }
    int complete() const noexcept { return complete_.get(); }

    struct Found {
        DescribedBlob blob;
        bool is_complete = false;
        ChunkIndexSlot slot;  // of one that isn't complete
        Micros last_used = 0;
    };
    struct Content {
        std::vector<Found> blobs;
        std::uint64_t damaged = 0;         // blobs that were forgotten, with their files
        std::uint64_t leftovers = 0;       // files of blobs that were begun or removed when a process died
        std::uint64_t foreign = 0;         // names that are not ours, and were left alone
        std::vector<std::string> strange;  // some of these, below the root
    };
    // What is there, without reading any blob. For the start: nothing else may use the folder meanwhile.
    Result<Content> scan() const;

    // Takes the store away that is at `root`, and then the directories where nothing foreign is in them. Nothing else
    // may open one there meanwhile.
    Result<> remove(const std::filesystem::path& root) const;

private:
    ChunkFolder() = default;
    Result<> check_version(ChunkDisk& disk) const;

    FileDescriptor root_;
    FileDescriptor lock_;
    FileDescriptor index_;
    FileDescriptor partial_;
    FileDescriptor complete_;
};

}  // namespace entrepot
