#include "swarm/identity/node_authority.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"
#include "swarm/identity/node_names.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace entrepot {
namespace {

using Serial = OpensslPtr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Number = OpensslPtr<BIGNUM, BN_free>;
using Extension = OpensslPtr<X509_EXTENSION, X509_EXTENSION_free>;

constexpr Micros second = 1'000'000;

struct NamedExtension {
    int nid;
    const char* value;
};

// 126 random bits, positive and never short (RFC 5280 section 4.1.2.2 has 20 bytes at most).
bool set_serial(X509& certificate, Random& random)
{
    std::array<std::byte, 16> bytes{};
    random.fill(bytes);
    bytes[0] = (bytes[0] & std::byte{0x3f}) | std::byte{0x40};
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    const Number number{BN_bin2bn(from, static_cast<int>(bytes.size()), nullptr)};
    const Serial serial{number ? BN_to_ASN1_INTEGER(number.get(), nullptr) : nullptr};
    return serial && X509_set_serialNumber(&certificate, serial.get()) == 1;
}

bool set_times(X509& certificate, Micros begins, Micros ends)
{
    return ASN1_TIME_set(X509_getm_notBefore(&certificate), static_cast<time_t>(begins / second)) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&certificate), static_cast<time_t>(ends / second)) != nullptr;
}

// At most 64 characters (RFC 5280 appendix A.1, ub-common-name).
bool set_subject(X509& certificate, const std::string& common_name)
{
    return X509_NAME_add_entry_by_NID(
               X509_get_subject_name(&certificate),
               NID_commonName,
               MBSTRING_ASC,
               reinterpret_cast<const unsigned char*>(common_name.data()),
               static_cast<int>(common_name.size()),
               -1,
               0
           ) == 1;
}

// The values are constants of ours: OpenSSL's little language for them is not for what others say.
bool add_extensions(X509& certificate, X509& issuer, std::initializer_list<NamedExtension> extensions)
{
    X509V3_CTX context{};
    X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
    return std::ranges::all_of(extensions, [&](const NamedExtension& one) {
        const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, one.nid, one.value)};
        return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
    });
}

bool is_authority(X509& certificate, EVP_PKEY& key)
{
    constexpr auto needed = EXFLAG_CA | EXFLAG_SS;
    return X509_check_private_key(&certificate, &key) == 1 &&
           (X509_get_extension_flags(&certificate) & needed) == needed && X509_verify(&certificate, &key) == 1;
}

}  // namespace

NodeAuthority::NodeAuthority(SharedKey key, SharedCertificate certificate, std::string pem)
    : key_{std::move(key)}, certificate_{std::move(certificate)}, certificate_pem_{std::move(pem)}
{
}

Result<NodeAuthority> NodeAuthority::create(Random& random, Micros now)
{
    TRY(auto key, make_p256_key());
    SharedCertificate certificate{X509_new(), X509_free};
    // The name has a random part, so that two authorities of one registry are told apart by it.
    const auto name = "Entrepot nodes " + random.hex(8);
    const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      set_serial(*certificate, random) &&
                      set_times(*certificate, now - backdated, now + own_lifetime) && set_subject(*certificate, name) &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) == 1 &&
                      X509_set_pubkey(certificate.get(), key.get()) == 1 &&
                      add_extensions(
                          *certificate,
                          *certificate,
                          {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                           {NID_key_usage, "critical,keyCertSign,cRLSign"},
                           {NID_subject_key_identifier, "hash"}}
                      ) &&
                      X509_sign(certificate.get(), key.get(), digest_for(*key)) > 0;
    if (!made) return fail(Errc::internal, "no authority for nodes can be made", openssl_reason());
    TRY(auto pem, entrepot::certificate_pem(*certificate));
    return NodeAuthority{std::move(key), std::move(certificate), std::move(pem)};
}

Result<NodeAuthority> NodeAuthority::from_pem(std::string_view key, std::string_view certificate)
{
    auto read_key = read_private_key(key);
    auto read = read_certificate(certificate);
    if (!read_key || !read || !is_authority(**read, **read_key)) {
        forget_openssl_errors();
        return fail(Errc::corrupt, "the stored authority for nodes cannot be read");
    }
    TRY(auto pem, entrepot::certificate_pem(**read));
    return NodeAuthority{SharedKey{*std::move(read_key)}, SharedCertificate{*std::move(read)}, std::move(pem)};
}

Result<std::string> NodeAuthority::key_pem() const
{
    return private_key_pem(*key_);
}

Result<NodeCertificate>
NodeAuthority::issue(std::string_view request, const NodeAdmission& admission, Random& random, Micros now) const
{
    if (!is_node_name(admission.name)) return fail(Errc::bad_request, "not a name of a node");
    if (!is_zone_name(admission.zone)) return fail(Errc::bad_request, "not a name of a zone");
    TRY(const auto asked, read_request(request));
    auto* info = X509_REQ_get_X509_PUBKEY(asked.get());
    TRY(const auto id, node_id_of(*info));
    auto* key = X509_PUBKEY_get0(info);
    if (X509_REQ_verify(asked.get(), key) != 1)
        return fail(Errc::bad_request, "certificate request: not signed with its key", openssl_reason());

    const auto own_end = micros_of(*X509_get0_notAfter(certificate_.get()));
    NodeCertificate issued{
        .pem = {},
        .identity = {.id = id, .name = admission.name, .zone = admission.zone, .seed = admission.seed},
        .begins = (now - backdated) / second * second,
        .ends = std::min((now + node_lifetime) / second * second, own_end),
    };
    if (issued.ends <= now) return fail(Errc::unavailable, "the authority for nodes has expired");
    const Certificate certificate{X509_new()};
    const bool made = certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      set_serial(*certificate, random) && set_times(*certificate, issued.begins, issued.ends) &&
                      set_subject(*certificate, to_hex(as_bytes(id))) &&
                      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate_.get())) == 1 &&
                      X509_set_pubkey(certificate.get(), key) == 1 &&
                      add_extensions(
                          *certificate,
                          *certificate_,
                          {{NID_basic_constraints, "critical,CA:FALSE"},
                           {NID_key_usage, "critical,digitalSignature"},
                           {NID_ext_key_usage, "serverAuth,clientAuth"},
                           {NID_subject_key_identifier, "hash"},
                           {NID_authority_key_identifier, "keyid:always"}}
                      ) &&
                      add_node_names(*certificate, issued.identity) &&
                      X509_sign(certificate.get(), key_.get(), digest_for(*key_)) > 0;
    if (!made) return fail(Errc::internal, "no certificate can be made", openssl_reason());
    TRY(issued.pem, entrepot::certificate_pem(*certificate));
    return issued;
}

}  // namespace entrepot
