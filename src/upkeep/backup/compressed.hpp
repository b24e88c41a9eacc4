#pragma once

#include "core/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace entrepot {

// One zstd frame (RFC 8878) that names its content's size.
std::string compressed(std::string_view content);
// corrupt when it is no such frame, or holds more than `most` bytes.
Result<std::string> decompressed(std::string_view frame, std::size_t most);

}  // namespace entrepot
