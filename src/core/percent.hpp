#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Percent-encoding (RFC 3986 section 2.1) of one part of a path or of a query: everything but the unreserved characters
// becomes %XX.
std::string percent_encoded(std::string_view text);

// The bytes back; nullopt for a malformed escape. `plus_is_space`: as application/x-www-form-urlencoded has it.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space = false);

}  // namespace entrepot
