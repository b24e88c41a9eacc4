#pragma once

#include "ports/manifest_catalog.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// The referrers tag schema (OCI distribution-spec, "Referrers Tag Schema"): clients of registries without a referrers
// list keep an image index under a tag made of the subject's digest.

// The digest's algorithm, cut to 32 characters, '-', and its digits, cut to 64.
std::string fallback_tag(const Digest& subject);

// What such an index lists; entries that are no descriptors are left out, and anything that is no index lists nothing.
std::vector<Referrer> read_fallback_index(std::string_view bytes);

}  // namespace entrepot
