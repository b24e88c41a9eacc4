#pragma once

#include "core/error.hpp"

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace entrepot {

enum class DigestAlgorithm { sha256, sha512 };

// "sha256" or "sha512"; digest_invalid for any other word.
Result<DigestAlgorithm> parse_digest_algorithm(std::string_view text);
std::string_view name_of(DigestAlgorithm algorithm) noexcept;

// A content address such as "sha256:9f86d0…" (OCI image-spec, descriptor.md, "Digests"). A Digest that exists is
// well formed: a registered algorithm and as many lower-case hexadecimal digits as it has.
class Digest {
public:
    static Result<Digest> parse(std::string_view text);  // digest_invalid
    // From a finished hash of 32 or 64 bytes.
    static Digest of_hash(DigestAlgorithm algorithm, std::string_view raw);

    const std::string& text() const noexcept { return text_; }
    DigestAlgorithm algorithm() const noexcept { return algorithm_; }
    // The hexadecimal digits alone.
    std::string_view hex() const noexcept { return std::string_view{text_}.substr(7); }

    std::strong_ordering operator<=>(const Digest& other) const noexcept { return text_ <=> other.text_; }
    bool operator==(const Digest& other) const noexcept { return text_ == other.text_; }

private:
    Digest(DigestAlgorithm algorithm, std::string text) : algorithm_{algorithm}, text_{std::move(text)} {}
    DigestAlgorithm algorithm_;
    std::string text_;
};

// The digest of bytes at hand.
Digest digest_of(std::string_view bytes, DigestAlgorithm algorithm = DigestAlgorithm::sha256);

}  // namespace entrepot

template <>
struct std::hash<entrepot::Digest> {
    std::size_t operator()(const entrepot::Digest& digest) const noexcept
    {
        return std::hash<std::string>{}(digest.text());
    }
};
