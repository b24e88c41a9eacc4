#include "swarm/net/peer_tls_context.hpp"

#include "swarm/identity/x509_handles.hpp"
#include "swarm/net/peer_tls_callbacks.hpp"

#include <array>

#include <openssl/crypto.h>
#include <openssl/ssl.h>

namespace entrepot {
namespace {

// A length and the name, as RFC 7301 section 3.1 has a list of one.
constexpr auto offered = [] {
    std::array<unsigned char, swarm_protocol_name.size() + 1> list{};
    list[0] = static_cast<unsigned char>(swarm_protocol_name.size());
    for (std::size_t i = 0; i < swarm_protocol_name.size(); ++i)
        list[i + 1] = static_cast<unsigned char>(swarm_protocol_name[i]);
    return list;
}();

int choose_protocol(
    SSL* /*ssl*/,
    const unsigned char** chosen,
    unsigned char* length,
    const unsigned char* theirs,
    unsigned their_length,
    void* /*argument*/
)
{
    unsigned char* found = nullptr;
    const auto verdict = SSL_select_next_proto(&found, length, offered.data(), offered.size(), theirs, their_length);
    *chosen = found;
    return verdict == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool configure(SSL_CTX* context)
{
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    // A session that is taken up again would skip the certificates.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_cert_verify_callback(context, PeerTlsCallbacks::verify, nullptr);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    // AES-128 is as good as any here, and the fastest where the processor has it.
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 && SSL_CTX_set_num_tickets(context, 0) == 1 &&
           SSL_CTX_set_ciphersuites(
               context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
           ) == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1 &&
           SSL_CTX_set_alpn_protos(context, offered.data(), offered.size()) == 0;
}

}  // namespace

Result<std::shared_ptr<const PeerTlsContext>>
PeerTlsContext::of(const NodeKey& key, std::string_view certificate, NodeTrust trust)
{
    TRY(const auto shown, read_certificate(certificate));
    TRY(auto pem, key.pem());
    auto own = read_private_key(pem);
    OPENSSL_cleanse(pem.data(), pem.size());
    if (!own) return std::unexpected{std::move(own).error()};
    forget_openssl_errors();
    const std::shared_ptr<SSL_CTX> context{SSL_CTX_new(TLS_method()), SSL_CTX_free};
    if (!context || !configure(context.get())) return fail(Errc::internal, "TLS can't be set up", openssl_reason());
    if (SSL_CTX_use_certificate(context.get(), shown.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), own->get()) != 1 || SSL_CTX_check_private_key(context.get()) != 1)
        return fail(Errc::bad_request, "the certificate is not of this node's key", openssl_reason());
    return std::shared_ptr<const PeerTlsContext>{new PeerTlsContext{context, std::move(trust), key.id()}};
}

}  // namespace entrepot
