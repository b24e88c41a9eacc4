#pragma once

#include <boost/json/object.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace entrepot {

inline constexpr std::size_t longest_platform = 128;  // bytes

// "os/architecture" or "os/architecture/variant", of an index's child (OCI image-spec, image-index.md: platform) or of
// an image's config.
std::string platform_in(const boost::json::object& object);

// One without a variant stands for all variants: linux/arm means linux/arm/v7 as well.
bool is_of_platform(std::string_view platform, std::string_view wanted) noexcept;

}  // namespace entrepot
