#pragma once

#include "api/token/account_cache.hpp"
#include "api/token/credentials.hpp"
#include "api/token/login_throttle.hpp"
#include "api/token/password_checker.hpp"
#include "api/token/password_memory.hpp"
#include "api/token/token_memory.hpp"
#include "api/token/token_signer.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Turns an Authorization header into a Caller: Bearer access tokens and Basic passwords. Safe from any thread.
class Authenticator {
public:
    Authenticator(
        AccountCatalog& accounts, KeyRing& keys, const TokenSettings& settings, const Clock& clock, Random& random
    );

    // From memory alone: anonymous without a header, a remembered token, a remembered password; nullopt otherwise.
    std::optional<Caller> peek(std::optional<std::string_view> authorization) noexcept;
    // `client` is the address that failures are counted for. unauthorized, too_many_requests, unavailable.
    Task<Caller> authenticate(std::string authorization, std::string client);

    // Passwords alone, for the token endpoint; the account comes with it, for the token's claims.
    using Known = std::shared_ptr<const KnownAccount>;
    Known peek_password(const BasicCredentials& credentials);
    Task<Known> check_password(BasicCredentials credentials, std::string client);
    // The account of a refresh token. unauthorized when it has gone or its password changed since; unavailable.
    Task<Known> account_of(std::int64_t user_id, std::int64_t credential_version);

    // bad_request when the password breaks the policy, not_found; ends everything remembered of the user.
    Task<> set_password(std::int64_t user_id, std::string password);
    // After any change of an account: the next request sees it on this instance, and within a minute on others.
    void forget_user(std::int64_t user_id);

    // Ends the password threads; whoever waits for them gets unavailable. Before the loops end.
    void stop();

    static std::shared_ptr<const Identity> anonymous();

private:
    Task<Caller> verify_token(std::string token);
    Task<Known> account_named(std::string name);

    AccountCatalog& accounts_;
    const Clock& clock_;
    Random& random_;
    TokenSettings settings_;
    TokenSigner signer_;
    AccountCache cache_;
    TokenMemory tokens_;
    PasswordMemory passwords_;
    LoginThrottle throttle_;
    PasswordChecker checker_;
};

}  // namespace entrepot
