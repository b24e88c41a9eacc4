#pragma once

#include <string>
#include <string_view>

namespace entrepot {

// JSON text of a string (RFC 8259 section 7), with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_text(std::string& json, std::string_view text);

}  // namespace entrepot
