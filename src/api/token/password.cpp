#include "api/token/password.hpp"

#include <argon2.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace entrepot {
namespace {

constexpr std::uint32_t passes = 2;
constexpr std::uint32_t memory_kib = 19 * 1'024;
constexpr std::uint32_t lanes = 1;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;

// What a user that doesn't exist is checked against: the parameters of hash_password, and a hash nobody has the
// password of. The outcome is not used.
const std::string nobody =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

bool is_upper(char c) noexcept
{
    return c >= 'A' && c <= 'Z';
}
bool is_lower(char c) noexcept
{
    return c >= 'a' && c <= 'z';
}
bool is_digit(char c) noexcept
{
    return c >= '0' && c <= '9';
}

// UTF-8 code points: bytes that do not continue one.
std::size_t characters(std::string_view text) noexcept
{
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

}  // namespace

Result<> check_password_policy(std::string_view password)
{
    const auto length = characters(password);
    if (length < 8 || length > 128) return fail(Errc::bad_request, "a password has 8 to 128 characters");
    const bool strong = std::ranges::any_of(password, is_upper) && std::ranges::any_of(password, is_lower) &&
                        std::ranges::any_of(password, is_digit);
    if (!strong) {
        return fail(Errc::bad_request, "a password has an upper-case letter, a lower-case letter and a digit");
    }
    const bool typeable =
        std::ranges::none_of(password, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
    if (!typeable) return fail(Errc::bad_request, "a password has no control characters");
    return {};
}

Result<std::string> hash_password(std::string_view password, Random& random)
{
    std::array<std::byte, salt_bytes> salt{};
    random.fill(salt);
    std::string encoded(argon2_encodedlen(passes, memory_kib, lanes, salt_bytes, hash_bytes, Argon2_id), '\0');
    const auto code = argon2id_hash_encoded(
        passes,
        memory_kib,
        lanes,
        password.data(),
        password.size(),
        salt.data(),
        salt.size(),
        hash_bytes,
        encoded.data(),
        encoded.size()
    );
    if (code != ARGON2_OK) return fail(Errc::internal, "the password cannot be hashed", argon2_error_message(code));
    encoded.resize(encoded.find('\0'));
    return encoded;
}

bool verify_password(std::string_view password, const std::string& encoded) noexcept
{
    const auto& against = encoded.empty() ? nobody : encoded;
    const bool right = argon2id_verify(against.c_str(), password.data(), password.size()) == ARGON2_OK;
    return right && !encoded.empty();
}

bool is_password_hash(std::string_view stored) noexcept
{
    return stored.starts_with("$argon2id$");
}

std::string generate_password(Random& random)
{
    while (true) {
        auto password = random.base64url(18);
        // A leading '-' would be read as an option by command lines.
        if (check_password_policy(password) && password.front() != '-') return password;
    }
}

}  // namespace entrepot
