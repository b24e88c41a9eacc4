#pragma once

#include "core/error.hpp"
#include "swarm/descriptor/described_blob.hpp"
#include "swarm/descriptor/image_descriptor.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace entrepot {

// What the registry says to one who would pull an image, by docs/formats/swarm-http.md.
struct BundleAnswer {
    unsigned status = 0;       // 200, 304, or the refusal
    std::string descriptor{};  // of 200: its bytes, and below the hashes of all chunks; both unread
    std::string hashes{};
    std::string ticket{};  // its bytes, unread; empty: none was given
};

// Bytes of the longest body that can be a bundle.
inline constexpr std::size_t longest_bundle = 4 + ImageDescriptor::most_bytes + std::size_t{most_listed_chunks} * 32;

// `ticket`: the header of that name. Of a body only that of 200 is looked at. bad_request: this is no bundle.
Result<BundleAnswer> read_bundle(unsigned status, std::string_view ticket, std::string_view body);

}  // namespace entrepot
