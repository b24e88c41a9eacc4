#pragma once

#include "core/error.hpp"
#include "http/byte_range.hpp"
#include "registry/uploads.hpp"

#include <string_view>

namespace entrepot {

// The Content-Range of a chunk: "start-end", both inclusive, without the unit that RFC 9110 would have.
Result<ChunkRange> parse_chunk_range(std::string_view header);  // range_invalid

}  // namespace entrepot
