#pragma once

#include "core/error.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace entrepot {

// An ES256 key pair (RFC 7518 section 3.4), kept by cjose. Immutable; safe from any thread. Its id is the RFC 7638
// thumbprint of the public part.
class SigningKey {
public:
    static Result<SigningKey> generate();                              // internal
    static Result<SigningKey> from_jwk(std::string_view private_jwk);  // corrupt

    const std::string& id() const noexcept { return id_; }
    // The JWK with its private part: to be sealed at once, never logged.
    Result<std::string> private_jwk() const;
    // {"kty":"EC","crv":"P-256","x":…,"y":…,"use":"sig","alg":"ES256","kid":…}
    const std::string& public_jwk() const noexcept { return public_jwk_; }

    // The compact JWS (RFC 7515 section 7.1) of `payload`, with typ, alg and kid in its header. internal.
    Result<std::string> sign(std::string_view payload) const;

private:
    friend class SignedToken;
    explicit SigningKey(std::shared_ptr<void> jwk) : jwk_{std::move(jwk)} {}
    Result<> describe();

    std::shared_ptr<void> jwk_;  // cjose_jwk_t
    std::string id_;
    std::string public_jwk_;
};

// A compact JWS as received: its header says typ JWT, alg ES256, a kid and nothing critical. Nothing is believed until
// payload_signed_by() has checked the signature with a key of our own choice.
class SignedToken {
public:
    static Result<SignedToken> parse(std::string_view text);  // unauthorized

    const std::string& key_id() const noexcept { return key_id_; }
    Result<std::string> payload_signed_by(const SigningKey& key) const;  // unauthorized

private:
    explicit SignedToken(std::shared_ptr<void> jws) : jws_{std::move(jws)} {}

    std::shared_ptr<void> jws_;  // cjose_jws_t
    std::string key_id_;
};

}  // namespace entrepot
