#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot {

// A stretch of a body: `length` bytes from `offset`.
struct ByteRange {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

// The Range header of a GET (RFC 9110 section 14.2) against a body of `size` bytes. nullopt: answer the whole body
// (another unit than bytes, or several ranges, which a server may ignore). range_invalid: malformed or unsatisfiable.
Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size);

}  // namespace entrepot
