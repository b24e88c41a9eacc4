#pragma once

#include "api/token/access_token_cache.hpp"
#include "api/token/account_cache.hpp"
#include "api/token/credential_uses.hpp"
#include "api/token/credentials.hpp"
#include "api/token/login_throttle.hpp"
#include "api/token/password_checker.hpp"
#include "api/token/password_memory.hpp"
#include "api/token/token_memory.hpp"
#include "api/token/token_signer.hpp"
#include "ports/password_hasher.hpp"
#include "tenancy/access_directory.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Turns what somebody shows into a Caller. Bearer: the registry's own tokens. Basic: a person's password, CLI secret or
// personal access token, a robot's secret. Every answer has been held against the policy, so a credential that was
// revoked here ends with the next request, and a new one is good at once also where the policy has not heard of it yet.
// Safe from any thread.
class Authenticator final : public PasswordHasher {
public:
    struct Parts {
        AccountCatalog& accounts;
        AccessTokenCatalog& access_tokens;
        KeyRing& keys;
        const AccessPolicy& policy;
        AccessDirectory& directory;
        const Clock& clock;
        Random& random;
    };
    Authenticator(Parts parts, const TokenSettings& settings);

    // From memory alone: anonymous without a header, what was verified before; nullopt otherwise. recall() leaves out
    // whether a token still stands, for who asks the policy for a decision next: that includes it.
    std::optional<Caller> peek(std::optional<std::string_view> authorization) noexcept;
    std::optional<Caller> recall(std::optional<std::string_view> authorization) noexcept;
    // `client` is the address that failures are counted for. unauthorized, too_many_requests, unavailable.
    Task<Caller> authenticate(std::string authorization, std::string client);

    std::optional<Caller> peek_basic(const BasicCredentials& credentials) noexcept;
    Task<Caller> check_basic(BasicCredentials credentials, std::string client);

    // A personal access token without its owner's name, for the management API's Bearer. unauthorized, unavailable.
    std::optional<Caller> peek_access_token(std::string_view text) noexcept;
    Task<Caller> check_access_token(std::string text);

    // A person's own password and nothing else, to begin a session. unauthorized, too_many_requests, unavailable.
    Task<Caller> log_in(BasicCredentials credentials, std::string client);
    // The owner of a refresh token or session. unauthorized when disabled, gone, or changed since; unavailable.
    Task<Caller> caller_of(std::int64_t user_id, std::int64_t credential_version);

    // Whether the credential that it came with still stands, as far as the policy has heard.
    bool stands(const Caller& caller) const { return policy_.is_current(caller); }

    Task<std::string> hash(std::string password) override;
    Task<> check(std::string user, std::string password, std::string client) override;

    // Writes when tokens and robots were used last. unavailable.
    Task<> flush_uses() { return uses_.flush(); }
    // Ends the password threads; whoever waits for them gets unavailable. Before the loops end.
    void stop();

    std::uint64_t password_hashes_run() const noexcept { return checker_.hashes_run(); }
    static std::shared_ptr<const Identity> anonymous();

private:
    using Known = std::shared_ptr<const KnownAccount>;

    Task<Caller> verify_token(std::string token);
    Task<Caller> check_password(PasswordPurpose purpose, BasicCredentials credentials, std::string client);
    Task<Caller> current(Caller caller);
    Task<Known> account_named(std::string name);
    Task<Known> account_if_any(std::string name);
    // Borrows from the account.
    struct Proof {
        PasswordPurpose purpose = PasswordPurpose::any_request;
        std::string subject;                           // whose and which hashes, for what is remembered
        bool hashed = false;                           // whether one of the next two may be right
        std::string_view encoded = {};                 // Argon2id
        std::string_view alternative = {};             // as well
        std::string_view made = {}, made_before = {};  // SHA-256 of secrets that were made here
        std::int64_t version = 0;
    };
    Proof proof_of(const KnownAccount* known, PasswordPurpose purpose, std::string_view user) const;
    static bool is_made_secret(const Proof& proof, std::string_view secret);
    std::string tag(const Proof& proof, const BasicCredentials& credentials) const;
    Caller caller_for(const KnownAccount& known);
    Caller caller_for(const KnownAccessToken& known);

    const AccessPolicy& policy_;
    AccessDirectory& directory_;
    const Clock& clock_;
    Random& random_;
    TokenSettings settings_;
    TokenSigner signer_;
    AccountCache cache_;
    AccessTokenCache access_tokens_;
    CredentialUses uses_;
    TokenMemory tokens_;
    PasswordMemory passwords_;
    LoginThrottle throttle_;
    PasswordChecker checker_;
};

}  // namespace entrepot
