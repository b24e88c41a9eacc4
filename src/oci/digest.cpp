#include "oci/digest.hpp"

#include "core/bytes.hpp"
#include "oci/hasher.hpp"

#include <algorithm>

namespace entrepot {
namespace {

struct Algorithm {
    DigestAlgorithm value;
    std::string_view name;
    std::size_t digits;
};
constexpr Algorithm algorithms[] = {{DigestAlgorithm::sha256, "sha256", 64}, {DigestAlgorithm::sha512, "sha512", 128}};

constexpr bool is_lower_hex(char c) noexcept
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

Result<DigestAlgorithm> parse_digest_algorithm(std::string_view text)
{
    for (const auto& algorithm : algorithms) {
        if (algorithm.name == text) return algorithm.value;
    }
    return fail(Errc::digest_invalid, "the digest algorithm must be sha256 or sha512");
}

std::string_view name_of(DigestAlgorithm algorithm) noexcept
{
    return algorithm == DigestAlgorithm::sha512 ? "sha512" : "sha256";
}

Result<Digest> Digest::parse(std::string_view text)
{
    for (const auto& algorithm : algorithms) {
        const bool named = text.starts_with(algorithm.name) && text.substr(algorithm.name.size()).starts_with(':');
        if (!named) continue;
        const auto hex = text.substr(algorithm.name.size() + 1);
        if (hex.size() != algorithm.digits || !std::ranges::all_of(hex, is_lower_hex)) break;
        return Digest{algorithm.value, std::string{text}};
    }
    return fail(Errc::digest_invalid, "a digest is sha256: and 64, or sha512: and 128 lower-case hexadecimal digits");
}

Digest Digest::of_hash(DigestAlgorithm algorithm, std::string_view raw)
{
    return Digest{algorithm, std::string{name_of(algorithm)} + ":" + to_hex(as_bytes(raw))};
}

Digest digest_of(std::string_view bytes, DigestAlgorithm algorithm)
{
    Hasher hasher{algorithm};
    hasher.update(as_bytes(bytes));
    return hasher.digest();
}

}  // namespace entrepot
