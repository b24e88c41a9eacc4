#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot::load {

// "sha256:…" of one piece of content.
std::string digest_of(std::string_view content);

// Bytes that no earlier run and no other call has made: nothing that is pushed may be there already.
std::string unique_bytes(std::size_t size);
// The same as 32 hexadecimal characters.
std::string unique_name();

}  // namespace entrepot::load
