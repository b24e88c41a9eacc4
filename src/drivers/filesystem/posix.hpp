#pragma once

#include "core/error.hpp"
#include "core/file_descriptor.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// The system's refusal in our words: storage_full for a full disk or quota, else unavailable. `doing` goes to the log.
std::unexpected<Error> system_failure(
    std::string_view doing, int number = errno, std::source_location where = std::source_location::current()
);

// All of `bytes` at `offset`, and as many as there are of `into` from `offset` on. Blocking.
Result<> write_all(int file, std::span<const std::byte> bytes, std::uint64_t offset);
Result<std::size_t> read_some(int file, std::span<std::byte> into, std::uint64_t offset);

Result<> sync_data(int file);
// Syncs the directory `path` below `base`: what was created in or renamed into it stays.
Result<> sync_directory(int base, const char* path);

// Locks the whole file for this open description, without waiting; false where another holds it.
Result<bool> try_lock(int file);

// For start-up alone: these throw std::runtime_error. A directory that exists is fine.
void make_directory(int base, const char* path);
FileDescriptor open_directory(int base, const char* path);
[[noreturn]] void throw_system_error(std::string_view doing, std::string_view path, int number = errno);

}  // namespace entrepot
