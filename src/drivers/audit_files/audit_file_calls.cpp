#include "drivers/audit_files/audit_file_calls.hpp"

#include <algorithm>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace entrepot {

std::unexpected<Error> audit_file_failure(std::string_view doing, int number, std::source_location where)
{
    auto detail = std::string{doing} + ": " + std::generic_category().message(number);
    if (number == ENOSPC || number == EDQUOT) {
        return fail(Errc::storage_full, "the audit trail's disk is full", std::move(detail), where);
    }
    return fail(Errc::unavailable, "the audit trail can't be used at the moment", std::move(detail), where);
}

Result<> write_audit_file(int file, std::uint64_t offset, std::string_view bytes)
{
    while (!bytes.empty()) {
        const auto count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return audit_file_failure("write");
        bytes.remove_prefix(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

Result<std::string> read_audit_file(int file, std::uint64_t offset, std::size_t length)
{
    struct stat status{};
    if (::fstat(file, &status) != 0) return audit_file_failure("fstat");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    const auto rest = offset < size ? size - offset : 0;
    std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(rest, length)), '\0');
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const auto count =
            ::pread(file, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return audit_file_failure("read");
        if (count == 0) break;
        filled += static_cast<std::size_t>(count);
    }
    bytes.resize(filled);
    return bytes;
}

Result<> reserve_in_file(int file, std::uint64_t offset, std::uint64_t length, std::uint64_t least_free)
{
    int done = 0;
    do {
        done = ::fallocate(file, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(length));
    } while (done != 0 && errno == EINTR);
    if (done == 0) return {};
    if (errno != EOPNOTSUPP && errno != ENOSYS) return audit_file_failure("reserve room");
    struct statvfs status{};
    if (::fstatvfs(file, &status) != 0) return audit_file_failure("fstatvfs");
    if (static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize < least_free + length) {
        return audit_file_failure("reserve room", ENOSPC);
    }
    return {};
}

}  // namespace entrepot
