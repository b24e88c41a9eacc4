#include "access/token_text.hpp"

#include "oci/digest.hpp"

namespace entrepot {
namespace {

constexpr std::size_t random_bytes = 32;
constexpr std::size_t random_characters = 43;
constexpr std::size_t checksum_characters = 6;
constexpr std::size_t token_size = access_token_prefix.size() + random_characters + checksum_characters;

}  // namespace

std::string secret_hash(std::string_view secret)
{
    return std::string{digest_of(secret).hex()};
}

std::string make_access_token(Random& random)
{
    auto text = std::string{access_token_prefix} + random.base64url(random_bytes);
    return text + secret_hash(text).substr(0, checksum_characters);
}

bool is_access_token(std::string_view text) noexcept
{
    if (text.size() != token_size || !text.starts_with(access_token_prefix)) return false;
    const auto checked = text.substr(0, token_size - checksum_characters);
    return text.substr(checked.size()) == secret_hash(checked).substr(0, checksum_characters);
}

}  // namespace entrepot
