#pragma once

#include "core/error.hpp"
#include "core/random.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace entrepot {

// Small files that their owner alone reads (0600), there whole or not at all, also after a crash. All block.
// storage_full, unavailable.

// not_found; payload_too_large: more than `most` bytes.
Result<std::string> read_private_file(const std::filesystem::path& file, std::size_t most);
// One that is there stays as it is.
Result<> make_private_file(const std::filesystem::path& file, std::string_view text, Random& random);
// One that is there is replaced; by one process at a time.
Result<> replace_private_file(const std::filesystem::path& file, std::string_view text);

}  // namespace entrepot
