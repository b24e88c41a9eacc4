#include "swarm/identity/node_authority.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/identity/node_key.hpp"
#include "swarm/identity/node_names.hpp"
#include "swarm/identity/node_trust.hpp"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

namespace entrepot {
namespace {

constexpr Micros second = 1'000'000;
constexpr Micros hour = 3600 * second;
constexpr Micros now = 1'800'000'000LL * second;

class CountingRandom final : public Random {
public:
    void fill(std::span<std::byte> into) override
    {
        for (auto& byte : into) byte = static_cast<std::byte>(next_++ & 0xffU);
    }

private:
    unsigned next_ = 1;
};

NodeAuthority authority()
{
    CountingRandom random;
    return NodeAuthority::create(random, now).value();
}

const NodeAdmission admission{.name = "node-17.example", .zone = "zone ä/1", .seed = false};

Result<NodeCertificate> issue(const NodeAuthority& by, std::string_view request, const NodeAdmission& admit = admission)
{
    CountingRandom random;
    return by.issue(request, admit, random, now);
}

std::string der_of(std::string_view pem)
{
    const auto read = read_certificate(pem).value();
    unsigned char* bytes = nullptr;
    const auto size = i2d_X509(read.get(), &bytes);
    std::string der{reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size)};
    OPENSSL_free(bytes);
    return der;
}

NodeTrust trust_in(const NodeAuthority& one)
{
    NodeTrust trust;
    EXPECT_TRUE(trust.trust(one.certificate_pem()));
    return trust;
}

// "" where the certificate is accepted.
std::string why(const NodeTrust& trust, std::string_view der, Micros at = now)
{
    const auto identity = trust.verify(as_bytes(der), at);
    if (identity) return {};
    EXPECT_EQ(identity.error().code(), Errc::unauthorized);
    EXPECT_EQ(identity.error().message(), "the certificate is not accepted");
    return identity.error().detail();
}

// A request for any key, with whatever else a test adds to it before it is signed.
std::string request_of(SharedKey key, const std::function<void(X509_REQ&)>& add = {}, SharedKey signer = {})
{
    const CertificateRequest request{X509_REQ_new()};
    EXPECT_EQ(X509_REQ_set_pubkey(request.get(), key.get()), 1);
    if (add) add(*request);
    auto& with = signer ? *signer : *key;
    EXPECT_GT(X509_REQ_sign(request.get(), &with, digest_for(with)), 0);
    return request_pem(*request).value();
}

SharedKey key_of(EVP_PKEY* made)
{
    return {made, EVP_PKEY_free};
}

TEST(NodeAuthority, CertifiesANodeThatItsPeersKnow)
{
    const auto by = authority();
    const auto key = NodeKey::generate().value();
    const auto issued = issue(by, key.request().value()).value();
    EXPECT_EQ(issued.identity.id, key.id());
    EXPECT_EQ(issued.begins, now - 5 * 60 * second);
    EXPECT_EQ(issued.ends, now + 24 * hour);
    const auto seen = trust_in(by).verify(as_bytes(der_of(issued.pem)), now);
    ASSERT_TRUE(seen) << seen.error().detail();
    EXPECT_EQ(*seen, issued.identity);
    EXPECT_EQ(*seen, (NodeIdentity{.id = key.id(), .name = "node-17.example", .zone = "zone ä/1", .seed = false}));
}

TEST(NodeAuthority, SaysWhoIsASeedAndLeavesOutAnUnknownZone)
{
    const auto by = authority();
    const auto key = NodeKey::generate().value();
    const auto issued = issue(by, key.request().value(), {.name = "s", .zone = "", .seed = true}).value();
    const auto seen = trust_in(by).verify(as_bytes(der_of(issued.pem)), now).value();
    EXPECT_EQ(seen, (NodeIdentity{.id = key.id(), .name = "s", .zone = "", .seed = true}));
}

TEST(NodeAuthority, LetsANodeKeepItsIdWithItsKey)
{
    const auto key = NodeKey::generate().value();
    const auto again = NodeKey::from_pem(key.pem().value()).value();
    EXPECT_EQ(again.id(), key.id());
    EXPECT_NE(NodeKey::generate()->id(), key.id());
    EXPECT_EQ(issue(authority(), again.request().value())->identity.id, key.id());
    EXPECT_EQ(NodeKey::from_pem("").error().code(), Errc::bad_request);
}

TEST(NodeAuthority, TakesEd25519Keys)
{
    const auto by = authority();
    const auto issued = issue(by, request_of(key_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")))).value();
    EXPECT_EQ(why(trust_in(by), der_of(issued.pem)), "");
}

TEST(NodeAuthority, RefusesOtherKeys)
{
    const auto by = authority();
    const auto refused = [&by](SharedKey key) {
        const auto issued = issue(by, request_of(std::move(key)));
        return issued ? "" : issued.error().message();
    };
    const auto reason = "public key: neither ECDSA on P-256 nor Ed25519, in their usual form";
    EXPECT_EQ(refused(key_of(EVP_RSA_gen(2048))), reason);
    EXPECT_EQ(refused(key_of(EVP_EC_gen("P-384"))), reason);
    EXPECT_EQ(refused(key_of(EVP_EC_gen("secp256k1"))), reason);
    for (const auto* form : {"compressed", "hybrid"}) {
        const auto key = key_of(EVP_EC_gen("P-256"));
        EXPECT_EQ(EVP_PKEY_set_utf8_string_param(key.get(), "point-format", form), 1);
        EXPECT_EQ(refused(key), reason) << form;
    }
    const auto described = key_of(EVP_EC_gen("P-256"));
    EXPECT_EQ(EVP_PKEY_set_utf8_string_param(described.get(), "encoding", "explicit"), 1);
    EXPECT_EQ(refused(described), reason);
}

TEST(NodeAuthority, WantsTheRequestSignedWithItsKey)
{
    const auto request = request_of(key_of(EVP_EC_gen("P-256")), {}, key_of(EVP_EC_gen("P-256")));
    const auto issued = issue(authority(), request);
    ASSERT_FALSE(issued);
    EXPECT_EQ(issued.error().code(), Errc::bad_request);
    EXPECT_EQ(issued.error().message(), "certificate request: not signed with its key");
}

TEST(NodeAuthority, DecidesNamesAndExtensionsItself)
{
    const auto greedy = request_of(key_of(EVP_EC_gen("P-256")), [](X509_REQ& request) {
        const std::string name{"admin"};
        X509_NAME_add_entry_by_NID(
            X509_REQ_get_subject_name(&request),
            NID_commonName,
            MBSTRING_ASC,
            reinterpret_cast<const unsigned char*>(name.data()),
            static_cast<int>(name.size()),
            -1,
            0
        );
        auto* list = sk_X509_EXTENSION_new_null();
        sk_X509_EXTENSION_push(list, X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE"));
        sk_X509_EXTENSION_push(
            list,
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "URI:entrepot:node:other,URI:entrepot:seed")
        );
        EXPECT_EQ(X509_REQ_add_extensions(&request, list), 1);
        sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    });
    const auto by = authority();
    const auto issued = issue(by, greedy).value();
    const auto certificate = read_certificate(issued.pem).value();
    EXPECT_EQ(X509_check_ca(certificate.get()), 0);
    EXPECT_EQ(X509_get_ext_count(certificate.get()), 6);
    EXPECT_EQ(trust_in(by).verify(as_bytes(der_of(issued.pem)), now).value(), issued.identity);
    EXPECT_EQ(issued.identity.name, "node-17.example");
    std::array<char, 128> subject{};
    X509_NAME_oneline(X509_get_subject_name(certificate.get()), subject.data(), subject.size());
    EXPECT_EQ(std::string{subject.data()}, "/CN=" + to_hex(as_bytes(issued.identity.id)));
}

TEST(NodeAuthority, RefusesWhatIsNoRequest)
{
    const auto by = authority();
    const auto good = NodeKey::generate()->request().value();
    const std::vector<std::string> bad{
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\n",
        good.substr(0, good.size() / 2),
        std::string(most_pem_bytes + 1, 'x'),
        by.certificate_pem(),
        "-----BEGIN CERTIFICATE REQUEST-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899aabb"
        "ccddeeff\n\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    };
    for (const auto& request : bad) EXPECT_EQ(issue(by, request).error().code(), Errc::bad_request) << request;
    for (const auto* name : {"", "-a", "a-", "a b", "a/b", "knoten-ä"})
        EXPECT_EQ(issue(by, good, {.name = name, .zone = ""}).error().code(), Errc::bad_request) << name;
    EXPECT_FALSE(issue(by, good, {.name = std::string(254, 'a'), .zone = ""}));
    EXPECT_TRUE(issue(by, good, {.name = std::string(253, 'a'), .zone = std::string(64, 'z')}));
    EXPECT_FALSE(issue(by, good, {.name = "a", .zone = std::string(65, 'z')}));
    EXPECT_FALSE(issue(by, good, {.name = "a", .zone = "b\n"}));
}

TEST(NodeAuthority, IsTheSameAfterItWasStored)
{
    const auto by = authority();
    const auto again = NodeAuthority::from_pem(by.key_pem().value(), by.certificate_pem()).value();
    EXPECT_EQ(again.certificate_pem(), by.certificate_pem());
    const auto issued = issue(again, NodeKey::generate()->request().value()).value();
    EXPECT_EQ(why(trust_in(by), der_of(issued.pem)), "");
    const auto other = authority();
    EXPECT_EQ(NodeAuthority::from_pem(other.key_pem().value(), by.certificate_pem()).error().code(), Errc::corrupt);
    EXPECT_EQ(NodeAuthority::from_pem("", "").error().code(), Errc::corrupt);
    const auto key = NodeKey::generate().value();
    const auto node = issue(by, key.request().value()).value();
    EXPECT_EQ(NodeAuthority::from_pem(key.pem().value(), node.pem).error().code(), Errc::corrupt) << "no authority";
}

TEST(NodeAuthority, CertifiesNothingBeyondItsOwnEnd)
{
    const auto by = authority();
    const auto request = NodeKey::generate()->request().value();
    CountingRandom random;
    const auto end = now + NodeAuthority::own_lifetime;
    EXPECT_EQ(by.issue(request, admission, random, end - hour)->ends, end);
    EXPECT_EQ(by.issue(request, admission, random, end).error().code(), Errc::unavailable);
}

TEST(NodeTrust, HoldsToTheTimes)
{
    const auto by = authority();
    const auto trust = trust_in(by);
    const auto der = der_of(issue(by, NodeKey::generate()->request().value())->pem);
    EXPECT_EQ(why(trust, der, now - 5 * 60 * second), "");
    EXPECT_NE(why(trust, der, now - 5 * 60 * second - second), "");
    EXPECT_EQ(why(trust, der, now + 24 * hour - second), "");
    EXPECT_EQ(why(trust, der, now + 24 * hour), "certificate has expired");
}

TEST(NodeTrust, TrustsItsOwnAuthoritiesOnly)
{
    const auto ours = authority();
    const auto other = authority();
    const auto key = NodeKey::generate().value();
    const auto der = der_of(issue(other, key.request().value())->pem);
    auto trust = trust_in(ours);
    EXPECT_NE(why(trust, der), "");
    EXPECT_NE(why(NodeTrust{}, der), "");
    ASSERT_TRUE(trust.trust(other.certificate_pem()));
    EXPECT_EQ(why(trust, der), "") << "while one takes the other's place";
    EXPECT_NE(why(trust, der_of(ours.certificate_pem())), "") << "an authority is no node";
    EXPECT_EQ(trust.trust(issue(ours, key.request().value())->pem).error().code(), Errc::bad_request);
    EXPECT_EQ(trust.trust("").error().code(), Errc::bad_request);
}

TEST(NodeTrust, RefusesACertificateWithAnyByteChangedOrMissing)
{
    const auto by = authority();
    const auto trust = trust_in(by);
    const auto good = der_of(issue(by, NodeKey::generate()->request().value())->pem);
    for (std::size_t at = 0; at < good.size(); ++at) {
        auto bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        EXPECT_NE(why(trust, bad), "") << at;
    }
    for (std::size_t size = 0; size < good.size(); size += 7) EXPECT_NE(why(trust, good.substr(0, size)), "") << size;
    EXPECT_EQ(why(trust, good + '\0'), "certificate: goes on behind its end");
    EXPECT_EQ(why(trust, std::string(most_pem_bytes + 1, '\x30')), "certificate: too long");
}

// Certificates that our authority has signed, and would not have made.
TEST(NodeTrust, RefusesOtherKindsOfCertificates)
{
    const auto by = authority();
    const auto trust = trust_in(by);
    const auto key = read_private_key(by.key_pem().value()).value();
    const auto good = issue(by, NodeKey::generate()->request().value()).value();
    const auto with = [&](int nid, const char* value) {
        const auto changed = read_certificate(good.pem).value();
        const auto at = X509_get_ext_by_NID(changed.get(), nid, -1);
        X509_EXTENSION_free(X509_delete_ext(changed.get(), at));
        if (value != nullptr) {
            auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
            X509_add_ext(changed.get(), extension, -1);
            X509_EXTENSION_free(extension);
        }
        EXPECT_GT(X509_sign(changed.get(), key.get(), EVP_sha256()), 0);
        return why(trust, der_of(certificate_pem(*changed).value()));
    };
    EXPECT_EQ(with(NID_subject_alt_name, "URI:entrepot:node:a"), "");
    EXPECT_EQ(with(NID_subject_alt_name, "URI:entrepot:node:a,URI:entrepot:zone:b,URI:entrepot:seed"), "");
    for (const auto* names :
         {"DNS:a",
          "URI:entrepot:zone:a",
          "URI:entrepot:node:a,URI:entrepot:node:b",
          "URI:entrepot:node:a,DNS:b",
          "URI:entrepot:node:a,URI:entrepot:zone:%7a",
          "URI:entrepot:node:a,URI:entrepot:zone:%zz",
          "URI:entrepot:node:a,URI:entrepot:seed,URI:entrepot:zone:b",
          "URI:entrepot:node:a,URI:entrepot:other",
          "URI:entrepot:node:",
          "URI:entrepot:node:a,URI:entrepot:zone:"})
        EXPECT_EQ(with(NID_subject_alt_name, names), "certificate: its names are not those of a node") << names;
    EXPECT_NE(with(NID_subject_alt_name, nullptr), "");
    EXPECT_EQ(with(NID_ext_key_usage, "clientAuth"), "not for servers");
    EXPECT_NE(with(NID_ext_key_usage, "serverAuth"), "");
    EXPECT_NE(with(NID_ext_key_usage, "codeSigning"), "");
    EXPECT_EQ(with(NID_basic_constraints, "critical,CA:TRUE"), "an authority's");
    EXPECT_NE(with(NID_key_usage, "critical,keyCertSign"), "");
}

TEST(NodeTrust, LeavesNoErrorsForTls)
{
    const auto by = authority();
    const auto trust = trust_in(by);
    why(trust, "x");
    why(trust, der_of(by.certificate_pem()));
    EXPECT_FALSE(issue(by, request_of(key_of(EVP_EC_gen("P-256")), {}, key_of(EVP_EC_gen("P-256")))));
    EXPECT_FALSE(issue(by, "nonsense"));
    EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(RenewalTime, IsAtTwoThirdsGiveOrTakeATwentieth)
{
    SwarmRandom random{7};
    const auto life = 24 * hour;
    auto earliest = now + life;
    auto latest = now;
    for (int at = 0; at < 1000; ++at) {
        const auto when = renewal_time(now, now + life, random);
        earliest = std::min(earliest, when);
        latest = std::max(latest, when);
    }
    EXPECT_GE(earliest, now + life * 2 / 3 - life / 20);
    EXPECT_LE(latest, now + life * 2 / 3 + life / 20);
    EXPECT_GT(latest - earliest, life / 11) << "spread";
    EXPECT_EQ(renewal_time(now, now, random), now);
    EXPECT_EQ(renewal_time(now, now - 1, random), now);
}

}  // namespace
}  // namespace entrepot
