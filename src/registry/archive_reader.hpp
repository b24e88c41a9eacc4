#pragma once

#include "core/clock.hpp"
#include "ports/blob_store.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace entrepot {

// How far into an archive that a stranger pushed somebody looks. Beyond any of these: unprocessable.
struct ArchiveLimits {
    std::size_t file_bytes = 1 << 20;
    std::uint64_t unpacked_bytes = 256 << 20;
    std::size_t entries = 20'000;
    std::chrono::milliseconds time{2'000};
};

// The first regular file of a tar archive (plain, gzip or zstd) whose path `wanted` accepts. Streams, writes nothing to
// disk, blocks: for pools. not_found when there is none, unprocessable when it is no such archive.
Result<std::string> read_archived_file(
    const BlobContent& archive,
    const std::function<bool(std::string_view path)>& wanted,
    const Clock& clock,
    const ArchiveLimits& limits = {}
);

}  // namespace entrepot
