#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "ports/account_catalog.hpp"
#include "ports/people_catalog.hpp"

#include <optional>
#include <string>

namespace entrepot {

// Makes the user "admin", a platform admin, where there is no user yet, with the given password or a generated one,
// which is returned to be printed once. bad_request when the given one breaks the policy; unavailable.
Task<std::optional<std::string>>
ensure_admin(AccountCatalog& accounts, std::optional<std::string> given_password, const Clock& clock, Random& random);

// The break-glass: a new password for "admin", who is enabled and a platform admin again, and made where it is missing.
// unavailable.
Task<std::string> reset_admin(AccountCatalog& accounts, PeopleCatalog& people, const Clock& clock, Random& random);

}  // namespace entrepot
