#pragma once

#include "core/error.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>

namespace entrepot {

// System calls on the audit trail's files. All block.

// storage_full for a full disk or quota, else unavailable.
std::unexpected<Error> audit_file_failure(
    std::string_view doing, int number = errno, std::source_location where = std::source_location::current()
);

Result<> write_audit_file(int file, std::uint64_t offset, std::string_view bytes);
// Fewer bytes at the file's end.
Result<std::string> read_audit_file(int file, std::uint64_t offset, std::size_t length);
// Blocks for `length` bytes from `offset` on, without a change of the file's size. Where the file system knows no such
// thing, `least_free` bytes must be free on it.
Result<> reserve_in_file(int file, std::uint64_t offset, std::uint64_t length, std::uint64_t least_free);

}  // namespace entrepot
