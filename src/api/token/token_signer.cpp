#include "api/token/token_signer.hpp"

#include "api/token/claims_json.hpp"
#include "api/token/signing_key.hpp"

namespace entrepot {

Result<std::string> TokenSigner::sign(const Subject& subject, TokenScopes scopes, std::string id, Micros now) const
{
    const auto key = keys_.signer();
    if (!key) return fail(Errc::unavailable, "no token can be made yet", "the key ring is empty");
    const auto seconds = now / 1'000'000;
    TokenClaims claims;
    claims.issuer = settings_.issuer;
    claims.subject = subject.name;
    claims.audience = settings_.service;
    claims.id = std::move(id);
    claims.issued_at = claims.not_before = seconds;
    claims.expires_at = seconds + settings_.lifetime_now().count();
    claims.user_id = subject.user_id;
    claims.credential_version = subject.credential_version;
    claims.access_token_id = subject.access_token_id;
    claims.scopes = std::move(scopes);
    return key->sign(claims_to_json(claims));
}

Task<TokenClaims> TokenSigner::verify(std::string token, Micros now) const
{
    CO_TRY(const auto received, SignedToken::parse(token));
    CO_TRY(const auto key, co_await keys_.find_or_reload(received.key_id()));
    if (!key) co_return fail(Errc::unauthorized, "the token is not valid", "signed by a key that is not ours");
    CO_TRY(const auto payload, received.payload_signed_by(*key));
    CO_TRY(auto claims, claims_from_json(payload));
    CO_CHECK(check_claims(claims, settings_.rules(), now));
    co_return claims;
}

}  // namespace entrepot
