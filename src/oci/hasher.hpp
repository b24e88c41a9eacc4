#pragma once

#include "oci/digest.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace entrepot {

// A running hash whose state can be written down and taken up again by another process: uploads resume on any
// instance. OpenSSL's EVP interface can't export its state, so the algorithm's own context is used
// (docs/decisions/0003-hash-state.md). One thread at a time.
class Hasher {
public:
    explicit Hasher(DigestAlgorithm algorithm);
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;

    // Takes up what state() wrote, on any machine of any byte order; corrupt when it is not such a state.
    static Result<Hasher> resume(std::string_view state);

    void update(std::span<const std::byte> bytes) noexcept;
    DigestAlgorithm algorithm() const noexcept;
    // The digest of everything so far; the hash can go on.
    Digest digest() const;
    std::string state() const;

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

}  // namespace entrepot
