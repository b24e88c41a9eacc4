#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/crypto/openssl_handles.hpp"
#include "swarm/wire/wire_values.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <openssl/x509v3.h>

namespace entrepot {

// What the files of this folder share: certificates, requests and keys as PEM (RFC 7468) and DER.

using Certificate = OpensslPtr<X509, X509_free>;
using SharedCertificate = std::shared_ptr<X509>;
using CertificateRequest = OpensslPtr<X509_REQ, X509_REQ_free>;

// More than any of ours has; what strangers send beyond it is not looked at.
inline constexpr std::size_t most_pem_bytes = std::size_t{16} * 1024;

// bad_request, all of them: not one such object, too long, or (a key) behind a password. Nothing is ever asked of a
// terminal.
Result<KeyHandle> read_private_key(std::string_view pem);
Result<Certificate> read_certificate(std::string_view pem);
Result<CertificateRequest> read_request(std::string_view pem);
// bad_request: not exactly one certificate.
Result<Certificate> read_certificate_der(std::span<const std::byte> der);

// PKCS#8 (RFC 5958), not encrypted. internal.
Result<std::string> private_key_pem(EVP_PKEY& key);
Result<std::string> certificate_pem(X509& certificate);
Result<std::string> request_pem(X509_REQ& request);

// A new key on the curve P-256. Of OpenSSL's own generator: it offers no other way for such keys. internal.
Result<SharedKey> make_p256_key();

// What a signature by this key is over: SHA-256, or (nullptr) the text itself, as Ed25519 has it.
const EVP_MD* digest_for(const EVP_PKEY& key) noexcept;

// The SHA-256 of a public key as SubjectPublicKeyInfo, DER. bad_request: a key that no node may have, which is any but
// ECDSA on P-256 (by name, the point uncompressed: each key has one id only) and Ed25519.
Result<NodeId> node_id_of(X509_PUBKEY& key);

// Microseconds since 1970; 0 for what cannot be read.
Micros micros_of(const ASN1_TIME& time) noexcept;

}  // namespace entrepot
