#include "drivers/chunk_files/chunk_disk.hpp"

#include <system_error>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace entrepot {

std::unexpected<Error> chunk_disk_failure(std::string_view doing, int number, std::source_location where)
{
    auto detail = std::string{doing} + ": " + std::generic_category().message(number);
    if (number == ENOSPC || number == EDQUOT) {
        return fail(Errc::storage_full, "the disk of the chunk store is full", std::move(detail), where);
    }
    return fail(Errc::unavailable, "the disk of the chunk store can't be used at the moment", std::move(detail), where);
}

Result<FileDescriptor> ChunkDisk::create(int directory, const std::string& name, std::uint64_t size)
{
    constexpr int flags = O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor file{::openat(directory, name.c_str(), flags, 0600)};
    if (!file) return chunk_disk_failure("create a file");
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return chunk_disk_failure("size a file");
    return file;
}

Result<> ChunkDisk::write(int file, std::span<const std::byte> bytes, std::uint64_t offset)
{
    while (!bytes.empty()) {
        const auto count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return chunk_disk_failure("write");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<> ChunkDisk::sync(int file)
{
    if (::fdatasync(file) != 0) return chunk_disk_failure("fdatasync");
    return {};
}

Result<> ChunkDisk::rename(int from, const std::string& name, int to, const std::string& new_name)
{
    if (::renameat(from, name.c_str(), to, new_name.c_str()) != 0) return chunk_disk_failure("rename");
    return {};
}

Result<std::uint64_t> ChunkDisk::free_bytes(int directory)
{
    struct statvfs status{};
    if (::fstatvfs(directory, &status) != 0) return chunk_disk_failure("fstatvfs");
    return std::uint64_t{status.f_bavail} * status.f_frsize;
}

Result<std::size_t> read_chunk_file(int file, std::span<std::byte> into, std::uint64_t offset)
{
    std::size_t filled = 0;
    while (filled < into.size()) {
        const auto rest = into.subspan(filled);
        const auto count = ::pread(file, rest.data(), rest.size(), static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return chunk_disk_failure("read");
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

Result<FileDescriptor> open_chunk_file(int directory, const std::string& name)
{
    FileDescriptor file{::openat(directory, name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC)};
    // Where the file system has become read-only, what is there can be read all the same.
    if (!file && errno == EROFS) {
        file = FileDescriptor{::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)};
    }
    if (!file && errno == ENOENT) return fail(Errc::not_found, "there is no such file in the chunk store");
    if (!file) return chunk_disk_failure("open a file");
    return file;
}

Result<> remove_chunk_file(int directory, const std::string& name)
{
    if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT) return chunk_disk_failure("remove a file");
    return {};
}

}  // namespace entrepot
