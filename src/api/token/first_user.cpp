#include "api/token/first_user.hpp"

#include "api/token/password.hpp"

namespace entrepot {

Task<std::optional<std::string>>
ensure_admin(AccountCatalog& accounts, std::optional<std::string> given_password, const Clock& clock, Random& random)
{
    using Generated = std::optional<std::string>;
    CO_TRY(const auto count, co_await accounts.count());
    if (count > 0) co_return Generated{};
    if (given_password) CO_CHECK(check_password_policy(*given_password));
    const auto password = given_password ? *given_password : generate_password(random);
    Account admin;
    admin.name = "admin";
    admin.credential_version = 1;
    admin.created_at = clock.now();
    CO_TRY(admin.password_hash, hash_password(password, random));
    auto created = co_await accounts.create_admin(std::move(admin));
    // Another instance was faster.
    if (!created && created.error().code() == Errc::conflict) co_return Generated{};
    if (!created) co_return std::unexpected{std::move(created).error()};
    co_return given_password ? Generated{} : Generated{password};
}

}  // namespace entrepot
