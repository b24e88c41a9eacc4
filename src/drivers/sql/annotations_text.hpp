#pragma once

#include "oci/manifest.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Annotations as they are stored: one JSON object of strings. What isn't one reads as no annotations.
std::string annotations_to_text(const Annotations& annotations);
Annotations annotations_from_text(std::string_view text);

}  // namespace entrepot
