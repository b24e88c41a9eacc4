#include "agent/puller.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"
#include "oci/json_fields.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/hex32.hpp"

#include <limits>
#include <span>

namespace entrepot {
namespace {

constexpr std::string_view scheme = "bearer ";
constexpr std::size_t longest_token = 64 * 1024;
constexpr Micros second = 1'000'000;

}  // namespace

Puller Puller::of(std::optional<std::string_view> authorization)
{
    if (!authorization) return Puller{std::nullopt, "anonymous"};
    const auto hash = sha256_of(as_bytes(*authorization));
    return Puller{std::string{*authorization}, hex_of(hash)};
}

std::optional<Micros> Puller::ends() const
{
    if (!authorization_ || authorization_->size() > longest_token) return std::nullopt;
    const std::string_view value{*authorization_};
    if (!same_word(value.substr(0, scheme.size()), scheme)) return std::nullopt;
    const auto token = trimmed(value.substr(scheme.size()));
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == std::string_view::npos || last == first) return std::nullopt;
    const auto payload = from_base64url(token.substr(first + 1, last - first - 1));
    const auto claims = payload ? parse_object(*payload) : std::nullopt;
    if (!claims || !claims->contains("exp")) return std::nullopt;
    // What is no whole number, or none that time has, ended long ago.
    const auto seconds = find_integer(*claims, "exp");
    if (seconds <= 0) return Micros{0};
    if (seconds > std::numeric_limits<Micros>::max() / second) return std::nullopt;
    return seconds * second;
}

}  // namespace entrepot
