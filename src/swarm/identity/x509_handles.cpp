#include "swarm/identity/x509_handles.hpp"

#include "core/bytes.hpp"
#include "swarm/crypto/sha256_stream.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include <openssl/ec.h>
#include <openssl/pem.h>

namespace entrepot {
namespace {

using Bio = OpensslPtr<BIO, BIO_free_all>;

constexpr int p256_point_bytes = 65;
constexpr unsigned char uncompressed = 0x04;

// In place of OpenSSL's own, which asks at the terminal.
int no_password(char* /*into*/, int /*size*/, int /*writing*/, void* /*context*/)
{
    return -1;
}

template <class Object, class Handle, class Read>
Result<Handle> read_pem(std::string_view pem, const char* what, Read read)
{
    if (pem.size() > most_pem_bytes) return fail(Errc::bad_request, std::string{what} + ": too long");
    const Bio bio{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    Object* object = bio ? read(bio.get(), nullptr, no_password, nullptr) : nullptr;
    if (object == nullptr) return fail(Errc::bad_request, std::string{what} + ": not one in PEM", openssl_reason());
    return Handle{object};
}

// In memory that is wiped when it is given back.
template <class Write>
Result<std::string> write_pem(Write write)
{
    const Bio bio{BIO_new(BIO_s_secmem())};
    if (!bio || write(bio.get()) != 1) return fail(Errc::internal, "PEM cannot be written", openssl_reason());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return std::string{data, static_cast<std::size_t>(size)};
}

// The curve by its name and the point uncompressed, as RFC 5480 section 2 has them: OpenSSL also reads curves that are
// described, and points that are compressed or hybrid.
bool is_p256(X509_PUBKEY& info, EVP_PKEY& key)
{
    std::array<char, 32> group{};
    const unsigned char* point = nullptr;
    int size = 0;
    X509_ALGOR* algorithm = nullptr;
    int curve = V_ASN1_UNDEF;
    return EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(&key, group.data(), group.size(), nullptr) == 1 &&
           std::string_view{group.data()} == "prime256v1" &&
           X509_PUBKEY_get0_param(nullptr, &point, &size, &algorithm, &info) == 1 && size == p256_point_bytes &&
           point[0] == uncompressed && (X509_ALGOR_get0(nullptr, &curve, nullptr, algorithm), curve == V_ASN1_OBJECT);
}

std::string info_of(X509_PUBKEY& key)
{
    std::string bytes(static_cast<std::size_t>(std::max(i2d_X509_PUBKEY(&key, nullptr), 0)), '\0');
    auto* into = reinterpret_cast<unsigned char*>(bytes.data());
    i2d_X509_PUBKEY(&key, &into);
    return bytes;
}

// As OpenSSL writes it, whatever form it came in.
std::string info_of(EVP_PKEY& key)
{
    X509_PUBKEY* made = nullptr;
    const bool set = X509_PUBKEY_set(&made, &key) == 1;
    const OpensslPtr<X509_PUBKEY, X509_PUBKEY_free> owner{made};
    return set ? info_of(*made) : std::string{};
}

}  // namespace

Result<KeyHandle> read_private_key(std::string_view pem)
{
    return read_pem<EVP_PKEY, KeyHandle>(pem, "private key", PEM_read_bio_PrivateKey);
}

Result<Certificate> read_certificate(std::string_view pem)
{
    return read_pem<X509, Certificate>(pem, "certificate", PEM_read_bio_X509);
}

Result<CertificateRequest> read_request(std::string_view pem)
{
    return read_pem<X509_REQ, CertificateRequest>(pem, "certificate request", PEM_read_bio_X509_REQ);
}

Result<Certificate> read_certificate_der(std::span<const std::byte> der)
{
    if (der.size() > most_pem_bytes) return fail(Errc::bad_request, "certificate: too long");
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* end = at + der.size();
    Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (!certificate) return fail(Errc::bad_request, "certificate: not one in DER", openssl_reason());
    if (at != end) return fail(Errc::bad_request, "certificate: goes on behind its end");
    return certificate;
}

Result<std::string> private_key_pem(EVP_PKEY& key)
{
    return write_pem([&key](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, &key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

Result<std::string> certificate_pem(X509& certificate)
{
    return write_pem([&certificate](BIO* bio) { return PEM_write_bio_X509(bio, &certificate); });
}

Result<std::string> request_pem(X509_REQ& request)
{
    return write_pem([&request](BIO* bio) { return PEM_write_bio_X509_REQ(bio, &request); });
}

Result<SharedKey> make_p256_key()
{
    SharedKey key{EVP_EC_gen("P-256"), EVP_PKEY_free};
    if (!key) return fail(Errc::internal, "no key can be made", openssl_reason());
    return key;
}

const EVP_MD* digest_for(const EVP_PKEY& key) noexcept
{
    return EVP_PKEY_get_base_id(&key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
}

Result<NodeId> node_id_of(X509_PUBKEY& key)
{
    auto* decoded = X509_PUBKEY_get0(&key);
    if (decoded == nullptr) return fail(Errc::bad_request, "public key: not one", openssl_reason());
    const bool good = is_p256(key, *decoded) || EVP_PKEY_get_base_id(decoded) == EVP_PKEY_ED25519;
    const auto info = info_of(key);
    if (!good || info.empty() || info != info_of(*decoded)) {
        forget_openssl_errors();
        return fail(Errc::bad_request, "public key: neither ECDSA on P-256 nor Ed25519, in their usual form");
    }
    return NodeId{sha256_of(as_bytes(info)).bytes};
}

Micros micros_of(const ASN1_TIME& time) noexcept
{
    std::tm fields{};
    if (ASN1_TIME_to_tm(&time, &fields) != 1) {
        forget_openssl_errors();
        return 0;
    }
    return static_cast<Micros>(::timegm(&fields)) * 1'000'000;
}

}  // namespace entrepot
