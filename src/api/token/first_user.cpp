#include "api/token/first_user.hpp"

#include "api/token/password.hpp"

namespace entrepot {
namespace {

constexpr std::string_view admin_name = "admin";

Account admin_account(std::string password_hash, const Clock& clock)
{
    Account admin;
    admin.name = admin_name;
    admin.credential_version = 1;
    admin.created_at = clock.now();
    admin.password_hash = std::move(password_hash);
    return admin;
}

}  // namespace

Task<std::optional<std::string>>
ensure_admin(AccountCatalog& accounts, std::optional<std::string> given_password, const Clock& clock, Random& random)
{
    using Generated = std::optional<std::string>;
    CO_TRY(const auto count, co_await accounts.count());
    if (count > 0) co_return Generated{};
    if (given_password) CO_CHECK(check_password_policy(*given_password));
    const auto password = given_password ? *given_password : generate_password(random);
    CO_TRY(auto hash, hash_password(password, random));
    auto created = co_await accounts.create_admin(admin_account(std::move(hash), clock));
    // Another instance was faster.
    if (!created && created.error().code() == Errc::conflict) co_return Generated{};
    if (!created) co_return std::unexpected{std::move(created).error()};
    co_return given_password ? Generated{} : Generated{password};
}

Task<std::string> reset_admin(AccountCatalog& accounts, PeopleCatalog& people, const Clock& clock, Random& random)
{
    const auto password = generate_password(random);
    CO_TRY(auto hash, hash_password(password, random));
    const auto found = co_await accounts.find(std::string{admin_name});
    if (found) {
        const Actor system{.user_id = found->id, .at = clock.now()};
        CO_CHECK(co_await accounts.set_password(found->id, std::move(hash), system));
        CO_CHECK(co_await people.set_disabled(found->id, false, system));
        CO_CHECK(co_await people.set_admin(found->id, true, system));
        co_return password;
    }
    if (found.error().code() != Errc::not_found) co_return std::unexpected{found.error()};
    CO_CHECK(co_await accounts.create_admin(admin_account(std::move(hash), clock)));
    co_return password;
}

}  // namespace entrepot
