#include "swarm/identity/node_key.hpp"

#include "swarm/identity/x509_handles.hpp"

#include <utility>

namespace entrepot {

Result<NodeKey> NodeKey::of(SharedKey key)
{
    X509_PUBKEY* made = nullptr;
    const bool set = X509_PUBKEY_set(&made, key.get()) == 1;
    const OpensslPtr<X509_PUBKEY, X509_PUBKEY_free> info{made};
    if (!set) return fail(Errc::bad_request, "private key: without a public one", openssl_reason());
    TRY(const auto id, node_id_of(*info));
    return NodeKey{std::move(key), id};
}

Result<NodeKey> NodeKey::generate()
{
    TRY(auto key, make_p256_key());
    return of(std::move(key));
}

Result<NodeKey> NodeKey::from_pem(std::string_view pem)
{
    TRY(auto key, read_private_key(pem));
    return of(SharedKey{std::move(key)});
}

Result<std::string> NodeKey::pem() const
{
    return private_key_pem(*key_);
}

Result<std::string> NodeKey::request() const
{
    const CertificateRequest request{X509_REQ_new()};
    const bool made = request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                      X509_REQ_set_pubkey(request.get(), key_.get()) == 1 &&
                      X509_REQ_sign(request.get(), key_.get(), digest_for(*key_)) > 0;
    if (!made) return fail(Errc::internal, "no certificate can be asked for", openssl_reason());
    return request_pem(*request);
}

}  // namespace entrepot
