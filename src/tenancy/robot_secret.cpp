#include "tenancy/robot_secret.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace entrepot {
namespace {

constexpr std::size_t made_length = 32;
constexpr std::size_t shortest = 8;
constexpr std::size_t longest = 128;
constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_small(char c) noexcept
{
    return c >= 'a' && c <= 'z';
}
bool is_capital(char c) noexcept
{
    return c >= 'A' && c <= 'Z';
}
bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

bool has_all_sorts(std::string_view secret) noexcept
{
    return std::ranges::any_of(secret, is_small) && std::ranges::any_of(secret, is_capital) &&
           std::ranges::any_of(secret, is_digit);
}

}  // namespace

std::string make_robot_secret(Random& random)
{
    std::string secret;
    do {
        secret.clear();
        while (secret.size() < made_length) {
            std::array<std::byte, 2 * made_length> bytes{};
            random.fill(bytes);
            for (const auto byte : bytes) {
                // Six bits, the two values beyond the alphabet left out, so that every letter is as likely.
                const auto value = std::to_integer<std::size_t>(byte) & 63U;
                if (value < letters.size() && secret.size() < made_length) secret += letters[value];
            }
        }
    } while (!has_all_sorts(secret));
    return secret;
}

Result<> check_robot_secret(std::string_view secret)
{
    const bool printable = std::ranges::all_of(secret, [](char c) { return c > ' ' && c < '\x7f'; });
    if (secret.size() >= shortest && secret.size() <= longest && printable && has_all_sorts(secret)) return {};
    return fail(
        Errc::bad_request,
        "a secret has 8 to 128 characters without blanks, at least one of them a small letter, one a capital and one a "
        "digit"
    );
}

}  // namespace entrepot
