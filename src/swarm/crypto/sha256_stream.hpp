#pragma once

#include "swarm/crypto/openssl_handles.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <span>

namespace entrepot {

// SHA-256 (FIPS 180-4) of bytes as they come, by OpenSSL. One thread at a time. Throws std::runtime_error where OpenSSL
// has no SHA-256 or no memory.
class Sha256Stream {
public:
    Sha256Stream();

    void update(std::span<const std::byte> bytes);
    // Of all since the last take(); begins anew.
    Sha256 take();

private:
    void begin();

    DigestContext context_;
};

Sha256 sha256_of(std::span<const std::byte> bytes);

template <class Kind>
std::span<const std::byte> as_bytes(const Bytes32<Kind>& value) noexcept
{
    return std::as_bytes(std::span{value.bytes});
}

}  // namespace entrepot
