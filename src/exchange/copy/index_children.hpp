#pragma once

#include "core/error.hpp"
#include "oci/digest.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// "os/architecture" or "os/architecture/variant". One without a variant stands for all variants. bad_request.
Result<> check_platform(std::string_view text);

// Whether `platform` is one of `wanted`; an empty list wants all.
bool wants_platform(const std::vector<std::string>& wanted, std::string_view platform) noexcept;

// The children of an index (OCI image-spec, image-index.md; Docker's manifest list) that are for one of the platforms.
// Who names no platform is for all. Attestations that BuildKit puts beside an image, for unknown/unknown, go along with
// the image that they are about (vnd.docker.reference.digest). manifest_invalid.
Result<std::set<Digest>> children_for(std::string_view index, const std::vector<std::string>& wanted);

// The platform that an image's config says it is for; nullopt where it is no such config.
std::optional<std::string> platform_of_config(std::string_view config);

}  // namespace entrepot
