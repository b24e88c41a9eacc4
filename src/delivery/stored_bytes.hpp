#pragma once

#include "core/bytes.hpp"
#include "oci/digest.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace entrepot {

// Fills the front of `into` from `offset` of a blob's file, and answers how many bytes that were: fewer only where the
// file ends. Blocks. unavailable.
Result<std::size_t> read_blob_at(const OpenFile& file, std::uint64_t offset, std::span<std::byte> into);

// The name under which the registry has what this is the SHA-256 of.
Digest named_by(const Sha256& hash);

}  // namespace entrepot
