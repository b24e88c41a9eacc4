#include "drivers/filesystem/posix.hpp"

#include <cstring>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace entrepot {
namespace {

std::string words_of(int number)
{
    return std::generic_category().message(number);
}

}  // namespace

std::unexpected<Error> system_failure(std::string_view doing, int number, std::source_location where)
{
    auto detail = std::string{doing} + ": " + words_of(number);
    if (number == ENOSPC || number == EDQUOT) {
        return fail(Errc::storage_full, "the storage is full", std::move(detail), where);
    }
    return fail(Errc::unavailable, "the storage can't be used at the moment", std::move(detail), where);
}

Result<> write_all(int file, std::span<const std::byte> bytes, std::uint64_t offset)
{
    while (!bytes.empty()) {
        const auto count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_failure("write");
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<std::size_t> read_some(int file, std::span<std::byte> into, std::uint64_t offset)
{
    std::size_t filled = 0;
    while (filled < into.size()) {
        const auto rest = into.subspan(filled);
        const auto count = ::pread(file, rest.data(), rest.size(), static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return system_failure("read");
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    return filled;
}

Result<> sync_data(int file)
{
    if (::fdatasync(file) != 0) return system_failure("fdatasync");
    return {};
}

Result<> sync_directory(int base, const char* path)
{
    const FileDescriptor directory{::openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) return system_failure("open a directory");
    if (::fsync(directory.get()) != 0) return system_failure("fsync a directory");
    return {};
}

Result<bool> try_lock(int file)
{
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    if (::fcntl(file, F_OFD_SETLK, &whole) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return system_failure("lock");
}

void make_directory(int base, const char* path)
{
    if (::mkdirat(base, path, 0700) != 0 && errno != EEXIST) throw_system_error("create", path);
}

FileDescriptor open_directory(int base, const char* path)
{
    FileDescriptor directory{::openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!directory) throw_system_error("open", path);
    return directory;
}

void throw_system_error(std::string_view doing, std::string_view path, int number)
{
    throw std::runtime_error{
        "can't " + std::string{doing} + " " + std::string{path} + " in the blob store: " + words_of(number)
    };
}

}  // namespace entrepot
