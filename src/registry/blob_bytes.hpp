#pragma once

#include "ports/blob_store.hpp"

#include <cstddef>
#include <span>
#include <string>

namespace entrepot {

// Reads part of a blob into `into`, which is cut at its end; how many bytes that were. Blocks where the blob is a file:
// for pools. unavailable.
Result<std::size_t> read_blob_at(const BlobContent& content, std::uint64_t offset, std::span<char> into);

// All of it. unprocessable beyond `most` bytes.
Result<std::string> read_whole_blob(const BlobContent& content, std::size_t most);

}  // namespace entrepot
