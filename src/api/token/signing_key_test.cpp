#include "api/token/signing_key.hpp"

#include "core/bytes.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace entrepot {
namespace {

const std::string payload = R"({"sub":"alice"})";

std::string encoded(std::string_view text)
{
    return to_base64url(as_bytes(text));
}

std::string hmac_signed(std::string_view header, std::string_view key)
{
    const auto text = encoded(header) + "." + encoded(payload);
    std::array<std::byte, 32> mac{};
    unsigned length = 0;
    ::HMAC(
        EVP_sha256(),
        key.data(),
        static_cast<int>(key.size()),
        reinterpret_cast<const unsigned char*>(text.data()),
        text.size(),
        reinterpret_cast<unsigned char*>(mac.data()),
        &length
    );
    return text + "." + to_base64url(mac);
}

class Token : public testing::Test {
protected:
    bool accepted(std::string_view token) const
    {
        const auto parsed = SignedToken::parse(token);
        if (!parsed) {
            EXPECT_EQ(parsed.error().code(), Errc::unauthorized);
            return false;
        }
        return parsed->key_id() == key.id() && parsed->payload_signed_by(key).has_value();
    }
    std::string header(std::string_view algorithm) const
    {
        return R"({"typ":"JWT","alg":")" + std::string{algorithm} + R"(","kid":")" + key.id() + R"("})";
    }
    SigningKey key = *SigningKey::generate();
};

TEST_F(Token, signed_by_our_key_is_accepted)
{
    const auto token = key.sign(payload);
    ASSERT_TRUE(token);
    EXPECT_TRUE(accepted(*token));
    EXPECT_EQ(*SignedToken::parse(*token)->payload_signed_by(key), payload);
}

TEST_F(Token, header_says_jwt_es256_and_the_key)
{
    const auto token = *key.sign(payload);
    const auto text = *from_base64url(token.substr(0, token.find('.')));
    EXPECT_NE(text.find("\"ES256\""), std::string::npos);
    EXPECT_NE(text.find("\"JWT\""), std::string::npos);
    EXPECT_NE(text.find(key.id()), std::string::npos);
}

TEST_F(Token, with_algorithm_none_is_refused)
{
    for (const auto* none : {"none", "None", "NONE", "nOnE"}) {
        EXPECT_FALSE(accepted(encoded(header(none)) + "." + encoded(payload) + ".")) << none;
        EXPECT_FALSE(accepted(encoded(header(none)) + "." + encoded(payload) + ".AAAA")) << none;
    }
    EXPECT_FALSE(accepted(encoded(header("ES256")) + "." + encoded(payload) + "."));
}

TEST_F(Token, signed_by_hs256_with_our_public_key_is_refused)
{
    EXPECT_FALSE(accepted(hmac_signed(header("HS256"), key.public_jwk())));
    EXPECT_FALSE(accepted(hmac_signed(header("HS256"), key.id())));
    EXPECT_FALSE(accepted(hmac_signed(header("HS256"), "")));
    EXPECT_FALSE(accepted(hmac_signed(header("ES256"), key.public_jwk())));
}

TEST_F(Token, signed_by_a_foreign_key_under_our_key_id_is_refused)
{
    const auto foreign = *SigningKey::generate();
    const auto token = *foreign.sign(payload);
    EXPECT_FALSE(accepted(token));
    EXPECT_FALSE(accepted(encoded(header("ES256")) + token.substr(token.find('.'))));
}

TEST_F(Token, that_brings_its_own_key_is_refused)
{
    const auto foreign = *SigningKey::generate();
    const auto with_jwk =
        R"({"typ":"JWT","alg":"ES256","kid":")" + key.id() + R"(","jwk":)" + foreign.public_jwk() + "}";
    const auto token = *foreign.sign(payload);
    EXPECT_FALSE(accepted(encoded(with_jwk) + token.substr(token.find('.'))));
}

TEST_F(Token, with_a_signature_of_zeros_is_refused)
{
    EXPECT_FALSE(accepted(encoded(header("ES256")) + "." + encoded(payload) + "." + encoded(std::string(64, '\0'))));
    EXPECT_FALSE(accepted(encoded(header("ES256")) + "." + encoded(payload) + "." + encoded(std::string(64, '\xff'))));
}

TEST_F(Token, tampered_anywhere_is_refused)
{
    const auto token = *key.sign(payload);
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(accepted(changed)) << i;
    }
}

TEST_F(Token, cut_short_or_made_longer_is_refused)
{
    const auto token = *key.sign(payload);
    for (std::size_t length = 0; length < token.size(); ++length)
        EXPECT_FALSE(accepted(token.substr(0, length))) << length;
    EXPECT_FALSE(accepted(token + "." + encoded(payload)));
    EXPECT_FALSE(accepted(token + "AAAA"));
}

// cjose 0.6.2 ended the process on these.
TEST_F(Token, with_parts_of_impossible_base64_length_is_refused)
{
    const auto good = *key.sign(payload);
    const auto first = good.find('.');
    const auto second = good.rfind('.');
    const auto header_part = good.substr(0, first);
    const auto payload_part = good.substr(first + 1, second - first - 1);
    const auto signature = good.substr(second + 1);
    for (const auto* bad : {"A", "AAAAA", "", "=", "AAA=", "A A", "+///"}) {
        EXPECT_FALSE(accepted(std::string{bad} + "." + payload_part + "." + signature)) << bad;
        EXPECT_FALSE(accepted(header_part + "." + bad + "." + signature)) << bad;
        EXPECT_FALSE(accepted(header_part + "." + payload_part + "." + bad)) << bad;
    }
}

TEST_F(Token, longer_than_16_kib_is_refused_unread)
{
    EXPECT_FALSE(accepted(*key.sign(std::string(13'000, 'x'))));
    EXPECT_TRUE(accepted(*key.sign(std::string(11'000, 'x'))));
}

TEST_F(Token, without_type_or_key_id_or_with_critical_extensions_is_refused)
{
    const auto rest = "." + encoded(payload) + "." + encoded(std::string(64, 'x'));
    EXPECT_FALSE(SignedToken::parse(encoded(R"({"alg":"ES256","kid":"k"})") + rest));
    EXPECT_FALSE(SignedToken::parse(encoded(R"({"typ":"JWT","alg":"ES256"})") + rest));
    EXPECT_FALSE(SignedToken::parse(encoded(R"({"typ":"JWT","alg":"ES256","kid":7})") + rest));
    EXPECT_FALSE(SignedToken::parse(encoded(R"({"typ":"JWT","alg":"ES256","kid":"k","crit":["exp"],"exp":1})") + rest));
    EXPECT_TRUE(SignedToken::parse(encoded(R"({"typ":"JWT","alg":"ES256","kid":"k"})") + rest));
}

TEST(SigningKey, reads_back_from_its_private_jwk_with_the_same_id)
{
    const auto key = *SigningKey::generate();
    const auto again = SigningKey::from_jwk(*key.private_jwk());
    ASSERT_TRUE(again);
    EXPECT_EQ(again->id(), key.id());
    EXPECT_TRUE(SignedToken::parse(*again->sign(payload))->payload_signed_by(key));
}

TEST(SigningKey, public_jwk_says_nothing_private)
{
    const auto key = *SigningKey::generate();
    EXPECT_EQ(key.public_jwk().find("\"d\""), std::string::npos);
    EXPECT_NE(key.private_jwk()->find("\"d\""), std::string::npos);
    EXPECT_EQ(key.id().size(), 43U);
}

TEST(SigningKey, id_is_the_thumbprint_of_rfc_7638)
{
    // The key of RFC 7515 appendix A.3, its thumbprint worked out apart from this code.
    const auto key = SigningKey::from_jwk(
        R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})"
    );
    ASSERT_TRUE(key);
    EXPECT_EQ(key->id(), "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
}

TEST(SigningKey, refuses_keys_of_other_kinds)
{
    EXPECT_FALSE(SigningKey::from_jwk(R"({"kty":"oct","k":"AAAA"})"));
    EXPECT_FALSE(SigningKey::from_jwk("{}"));
    EXPECT_FALSE(SigningKey::from_jwk("no json"));
}

}  // namespace
}  // namespace entrepot
