#include "api/token/signing_key.hpp"

#include "api/token/credentials.hpp"
#include "core/bytes.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cjose/cjose.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace entrepot {
namespace {

cjose_jwk_t* as_jwk(const std::shared_ptr<void>& jwk) noexcept
{
    return static_cast<cjose_jwk_t*>(jwk.get());
}

cjose_jws_t* as_jws(const std::shared_ptr<void>& jws) noexcept
{
    return static_cast<cjose_jws_t*>(jws.get());
}

struct ReleaseHeader {
    void operator()(cjose_header_t* header) const noexcept { cjose_header_release(header); }
};
using Header = std::unique_ptr<cjose_header_t, ReleaseHeader>;

struct FreeText {
    void operator()(char* text) const noexcept
    {
        OPENSSL_cleanse(text, std::strlen(text));
        cjose_get_dealloc()(text);
    }
};
using Text = std::unique_ptr<char, FreeText>;

std::string reason(const cjose_err& error)
{
    return error.message != nullptr ? error.message : "cjose gives no reason";
}

std::shared_ptr<void> owned(cjose_jwk_t* jwk)
{
    return {jwk, [](void* held) { cjose_jwk_release(static_cast<cjose_jwk_t*>(held)); }};
}

std::shared_ptr<void> owned(cjose_jws_t* jws)
{
    return {jws, [](void* held) { cjose_jws_release(static_cast<cjose_jws_t*>(held)); }};
}

// Three parts of base64url. cjose 0.6.2 ends the process by an assertion on a part whose length base64 cannot have.
bool is_compact(std::string_view text)
{
    for (int part = 0; part < 3; ++part) {
        const auto end = text.find('.');
        if ((end == std::string_view::npos) != (part == 2)) return false;
        const auto piece = text.substr(0, end);
        if (piece.empty() || !from_base64url(piece)) return false;
        text.remove_prefix(std::min(end, text.size() - 1) + 1);
    }
    return true;
}

std::string sha256_base64url(std::string_view text)
{
    std::array<std::byte, 32> digest{};
    EVP_Digest(
        text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(), nullptr
    );
    return to_base64url(digest);
}

}  // namespace

Result<SigningKey> SigningKey::generate()
{
    cjose_err error{};
    auto* jwk = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &error);
    if (jwk == nullptr) return fail(Errc::internal, "no signing key can be made", reason(error));
    SigningKey key{owned(jwk)};
    CHECK(key.describe());
    return key;
}

Result<SigningKey> SigningKey::from_jwk(std::string_view private_jwk)
{
    cjose_err error{};
    auto* jwk = cjose_jwk_import(private_jwk.data(), private_jwk.size(), &error);
    if (jwk == nullptr) return fail(Errc::corrupt, "a stored signing key cannot be read", reason(error));
    SigningKey key{owned(jwk)};
    if (cjose_jwk_get_kty(jwk, &error) != CJOSE_JWK_KTY_EC) {
        return fail(Errc::corrupt, "a stored signing key is not an elliptic-curve key");
    }
    CHECK(key.describe());
    return key;
}

Result<> SigningKey::describe()
{
    cjose_err error{};
    const Text json{cjose_jwk_to_json(as_jwk(jwk_), false, &error)};
    if (!json) return fail(Errc::internal, "a signing key cannot be described", reason(error));
    boost::system::error_code bad;
    const auto value = boost::json::parse(json.get(), bad);
    const auto* object = bad ? nullptr : value.if_object();
    const auto member = [object](std::string_view name) -> std::string {
        const auto* found = object != nullptr ? object->if_contains(name) : nullptr;
        return found != nullptr && found->is_string() ? std::string{found->get_string()} : std::string{};
    };
    if (member("crv") != "P-256") return fail(Errc::corrupt, "a stored signing key is not on the curve P-256");
    const auto x = member("x");
    const auto y = member("y");
    // The members in this order and without white space are what RFC 7638 hashes.
    id_ = sha256_base64url(R"({"crv":"P-256","kty":"EC","x":")" + x + R"(","y":")" + y + R"("})");
    public_jwk_ = R"({"kty":"EC","crv":"P-256","x":")" + x + R"(","y":")" + y +
                  R"(","use":"sig","alg":"ES256","kid":")" + id_ + R"("})";
    return {};
}

Result<std::string> SigningKey::private_jwk() const
{
    cjose_err error{};
    const Text json{cjose_jwk_to_json(as_jwk(jwk_), true, &error)};
    if (!json) return fail(Errc::internal, "a signing key cannot be stored", reason(error));
    return std::string{json.get()};
}

Result<std::string> SigningKey::sign(std::string_view payload) const
{
    cjose_err error{};
    const Header header{cjose_header_new(&error)};
    const bool complete = header && cjose_header_set(header.get(), "typ", "JWT", &error) &&
                          cjose_header_set(header.get(), CJOSE_HDR_ALG, CJOSE_HDR_ALG_ES256, &error) &&
                          cjose_header_set(header.get(), CJOSE_HDR_KID, id_.c_str(), &error);
    if (!complete) return fail(Errc::internal, "the token cannot be signed", reason(error));
    const auto jws = owned(cjose_jws_sign(
        as_jwk(jwk_), header.get(), reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size(), &error
    ));
    const char* text = nullptr;
    if (!jws || !cjose_jws_export(as_jws(jws), &text, &error)) {
        return fail(Errc::internal, "the token cannot be signed", reason(error));
    }
    return std::string{text};
}

Result<SignedToken> SignedToken::parse(std::string_view text)
{
    const auto refuse = [](std::string why) {
        return fail(Errc::unauthorized, "the token is not valid", std::move(why));
    };
    if (text.empty() || text.size() > longest_token) return refuse("too long");
    if (!is_compact(text)) return refuse("not a compact JWS");
    cjose_err error{};
    auto* imported = cjose_jws_import(text.data(), text.size(), &error);
    if (imported == nullptr) return refuse(reason(error));
    SignedToken token{owned(imported)};

    auto* header = cjose_jws_get_protected(imported);
    const auto field = [header](const char* name) -> std::string_view {
        cjose_err ignored{};
        const char* value = header != nullptr ? cjose_header_get(header, name, &ignored) : nullptr;
        return value != nullptr ? value : std::string_view{};
    };
    // The one decision about algorithms: what the token says only ever decides that it is refused.
    if (field(CJOSE_HDR_ALG) != CJOSE_HDR_ALG_ES256) return refuse("algorithm other than ES256");
    if (field("typ") != "JWT") return refuse("not a JWT");
    if (const Text critical{cjose_header_get_raw(header, "crit", &error)}) return refuse("critical extensions");
    token.key_id_ = field(CJOSE_HDR_KID);
    if (token.key_id_.empty()) return refuse("no key id");
    return token;
}

Result<std::string> SignedToken::payload_signed_by(const SigningKey& key) const
{
    cjose_err error{};
    if (!cjose_jws_verify(as_jws(jws_), as_jwk(key.jwk_), &error)) {
        return fail(Errc::unauthorized, "the token is not valid", reason(error));
    }
    std::uint8_t* bytes = nullptr;  // owned by the JWS
    std::size_t size = 0;
    if (!cjose_jws_get_plaintext(as_jws(jws_), &bytes, &size, &error)) {
        return fail(Errc::unauthorized, "the token is not valid", reason(error));
    }
    return std::string{reinterpret_cast<const char*>(bytes), size};
}

}  // namespace entrepot
