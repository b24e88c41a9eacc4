#pragma once

#include "core/error.hpp"
#include "core/file_descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// System calls on the files of the chunk store. All block, and are safe from any thread. storage_full for a full disk
// or quota, else unavailable.
std::unexpected<Error> chunk_disk_failure(
    std::string_view doing, int number = errno, std::source_location where = std::source_location::current()
);

// What changes files, and so may find the disk full or broken. Virtual so that tests can play such a disk, and one that
// loses whatever was not synced.
class ChunkDisk {
public:
    virtual ~ChunkDisk() = default;

    // A new file in `directory`, or the old one emptied, of `size` bytes without blocks; open for reading and writing.
    virtual Result<FileDescriptor> create(int directory, const std::string& name, std::uint64_t size);
    // All of `bytes` at `offset`.
    virtual Result<> write(int file, std::span<const std::byte> bytes, std::uint64_t offset);
    // The file's bytes are on the device.
    virtual Result<> sync(int file);
    // What has the new name is replaced.
    virtual Result<> rename(int from, const std::string& name, int to, const std::string& new_name);
    // What the file system would give us yet, in bytes.
    virtual Result<std::uint64_t> free_bytes(int directory);
};

// As many bytes from `offset` on as there are, `into` at most.
Result<std::size_t> read_chunk_file(int file, std::span<std::byte> into, std::uint64_t offset);
// For reading and writing, and no symbolic link. not_found where there is none.
Result<FileDescriptor> open_chunk_file(int directory, const std::string& name);
// One that is gone already is fine.
Result<> remove_chunk_file(int directory, const std::string& name);

}  // namespace entrepot
