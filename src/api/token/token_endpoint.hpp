#pragma once

#include "access/policy.hpp"
#include "api/token/authenticator.hpp"
#include "api/token/login_audit.hpp"
#include "api/token/token_form.hpp"
#include "http/message.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// The realm of our challenges (Docker registry token authentication): GET, and POST as OAuth 2.0 (RFC 6749). A token
// carries exactly what was asked for and is allowed; a person's or a robot's own secret or a refresh token makes one,
// never another token of this endpoint. Refresh tokens are for passwords alone: they would outlive other secrets.
// Mounted at /service/token, and jwks() at /service/token/jwks. Safe from any thread.
class TokenEndpoint {
public:
    struct Parts {
        Authenticator& authenticator;
        KeyRing& keys;
        RefreshTokenCatalog& refresh_tokens;
        const AccessPolicy& policy;
        const Clock& clock;
        Random& random;
        LoginAudit& logins;
    };
    TokenEndpoint(Parts parts, TokenSettings settings);

    // A GET by somebody anonymous or remembered, without suspending; nullopt for everything else.
    std::optional<Response> peek(const Request& request) noexcept;
    asio::awaitable<Response> handle(const Request& request, ByteSource& body);
    Response jwks(const Request& request) const;

private:
    Task<Response> get(const Request& request);
    Task<Response> post(const Request& request, ByteSource& body);
    Task<Caller> owner_of(const TokenForm& form, std::string client);
    Task<Caller> owner_of_refresh_token(std::string secret);
    Task<std::string> make_refresh_token(Caller owner, std::string client_id);
    Task<> keep_keys_current();
    Result<> check_service(std::string_view service) const;

    struct Issued {
        std::string token;
        Micros at = 0;
        TokenScopes scopes;
    };
    Result<Issued> issue(const Caller& owner, const TokenScopes& requested);
    Response answer(const Issued& issued, std::string_view refresh_token) const;
    Response oauth_answer(const Issued& issued, std::string_view refresh_token) const;

    Parts parts_;
    TokenSettings settings_;
    TokenSigner signer_;
};

}  // namespace entrepot
