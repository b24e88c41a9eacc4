#pragma once

#include "api/token/master_key.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under the master key with a random 96-bit nonce, bound to `context`
// as additional data so that one sealed value can't stand in for another. As text:
// "v1.<fingerprint of the master key>.<base64url of nonce, ciphertext, tag>".
std::string seal(const MasterKey& key, std::string_view secret, std::string_view context, Random& random);
// corrupt, saying whether it is the master key that is wrong.
Result<std::string> unseal(const MasterKey& key, std::string_view sealed, std::string_view context);

}  // namespace entrepot
