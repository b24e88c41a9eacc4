#pragma once

#include "core/error.hpp"
#include "core/random.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// bad_request, saying what is missing: 8 to 128 characters with an upper-case letter, a lower-case letter and a digit.
Result<> check_password_policy(std::string_view password);

// Argon2id (RFC 9106) with 19 MiB, two passes and one lane, in the encoded form "$argon2id$v=19$m=19456,t=2,p=1$…".
// Tens of milliseconds each, blocking. verify_password takes as long for an empty hash, and answers false.
Result<std::string> hash_password(std::string_view password, Random& random);  // internal
bool verify_password(std::string_view password, const std::string& encoded) noexcept;

// Whether a stored hash is of that kind: what was made at random is stored by a plain hash.
bool is_password_hash(std::string_view stored) noexcept;

// 24 characters that satisfy the policy, of more than 128 random bits.
std::string generate_password(Random& random);

}  // namespace entrepot
