#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace entrepot {

// Where randomness comes from. fill() is safe from any thread.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::byte> into) = 0;

    // `count` random bytes as text: base64url, or lower-case hexadecimal.
    std::string base64url(std::size_t count);
    std::string hex(std::size_t count);
};

// The kernel's generator (getrandom). Throws std::runtime_error where the kernel has none.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::byte> into) override;
};

}  // namespace entrepot
