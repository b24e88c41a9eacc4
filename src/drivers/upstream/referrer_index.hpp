#pragma once

#include "oci/manifest.hpp"
#include "ports/copy_site.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The index that stands for the referrers API where there is none (OCI distribution-spec, "Referrers tag schema").
namespace entrepot {

std::string referrers_tag(const Digest& subject);

// What an index lists, but for entries that can't be.
std::vector<Referrer> referrers_in(std::string_view index);

// An index of what is listed and of the manifest besides; nullopt when it is listed already.
std::optional<std::string>
index_with_referrer(const std::vector<Referrer>& listed, const CopiedManifest& added, const Manifest& parsed);

}  // namespace entrepot
