#include "http/tls_context.hpp"

#include <array>
#include <ctime>
#include <string>
#include <string_view>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace entrepot::http {
namespace {

std::string last_error()
{
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    ERR_clear_error();
    return text.data();
}

// A client that names protocols must name ours (RFC 7301 section 3.2).
int choose_protocol(
    SSL* /*ssl*/,
    const unsigned char** chosen,
    unsigned char* length,
    const unsigned char* offered,
    unsigned offered_length,
    void* /*context*/
)
{
    static constexpr std::string_view ours = "http/1.1";
    for (unsigned at = 0; at < offered_length;) {
        const unsigned size = offered[at++];
        if (size > offered_length - at) break;
        if (std::string_view{reinterpret_cast<const char*>(offered + at), size} == ours) {
            *chosen = offered + at;
            *length = static_cast<unsigned char>(size);
            return SSL_TLSEXT_ERR_OK;
        }
        at += size;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool configure(SSL_CTX* context)
{
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
    );
    // Sessions live in tickets: nothing is kept here.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_read_ahead(context, 1);
    static constexpr std::string_view scope = "entrepot";
    SSL_CTX_set_session_id_context(
        context, reinterpret_cast<const unsigned char*>(scope.data()), static_cast<unsigned>(scope.size())
    );
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
}

}  // namespace

Result<SslContext> load_tls(const TlsFiles& files)
{
    ERR_clear_error();
    const SslContext context{SSL_CTX_new(TLS_server_method()), SSL_CTX_free};
    if (!context || !configure(context.get())) return fail(Errc::internal, "TLS can't be set up", last_error());
    if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate_file.c_str()) != 1) {
        return fail(Errc::bad_request, "the certificate can't be read: " + files.certificate_file, last_error());
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), files.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
        return fail(Errc::bad_request, "the key can't be read or is another's: " + files.key_file, last_error());
    }
    return context;
}

Micros expiry_of(const SslContext& context)
{
    std::tm end{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(SSL_CTX_get0_certificate(context.get())), &end) != 1) return 0;
    return static_cast<Micros>(::timegm(&end)) * 1'000'000;
}

SslContext TlsIdentity::get() const
{
    const std::lock_guard lock{mutex_};
    return context_;
}

void TlsIdentity::replace(SslContext context)
{
    const std::lock_guard lock{mutex_};
    context_ = std::move(context);
}

}  // namespace entrepot::http
