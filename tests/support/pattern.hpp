#pragma once

#include <cstddef>
#include <string>

namespace entrepot {

// Bytes that don't compress, the same for the same seed.
inline std::string pattern(std::size_t size, unsigned seed = 1)
{
    std::string text(size, '\0');
    for (auto& letter : text) {
        seed = seed * 1664525U + 1013904223U;
        letter = static_cast<char>(seed >> 24U);
    }
    return text;
}

}  // namespace entrepot
