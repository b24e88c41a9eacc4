#include "swarm/net/peer_tls.hpp"

#include "core/bytes.hpp"
#include "swarm/net/peer_tls_callbacks.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace entrepot {

// What OpenSSL calls with a PeerTls behind its pointer.
int PeerTlsCallbacks::write(BIO* bio, const char* data, std::size_t size, std::size_t* written)
{
    static_cast<PeerTls*>(BIO_get_data(bio))->output_.append(data, size);
    *written = size;
    return 1;
}

int PeerTlsCallbacks::read(BIO* bio, char* into, std::size_t size, std::size_t* count)
{
    auto& input = static_cast<PeerTls*>(BIO_get_data(bio))->input_;
    BIO_clear_retry_flags(bio);
    *count = std::min(size, input.size());
    if (*count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    std::memcpy(into, input.data(), *count);
    input = input.subspan(*count);
    return 1;
}

long PeerTlsCallbacks::control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/)
{
    return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

int PeerTlsCallbacks::verify(X509_STORE_CTX* store, void* /*argument*/)
{
    auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& tls = *static_cast<PeerTls*>(SSL_get_app_data(ssl));
    unsigned char* der = nullptr;
    const auto size = i2d_X509(X509_STORE_CTX_get0_cert(store), &der);
    if (size <= 0) return 0;
    const auto bytes = std::as_bytes(std::span{der, static_cast<std::size_t>(size)});
    auto identity = tls.context_->trust().verify(bytes, tls.now_);
    OPENSSL_free(der);
    if (!identity) {
        tls.refusal_ = identity.error().message() + ": " + identity.error().detail();
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
        return 0;
    }
    tls.peer_ = *std::move(identity);
    return 1;
}

namespace {

const BIO_METHOD* span_method()
{
    static BIO_METHOD* const method = [] {
        auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "swarm");
        if (made == nullptr) throw std::bad_alloc{};
        BIO_meth_set_write_ex(made, PeerTlsCallbacks::write);
        BIO_meth_set_read_ex(made, PeerTlsCallbacks::read);
        BIO_meth_set_ctrl(made, PeerTlsCallbacks::control);
        return made;
    }();
    return method;
}

// A key of AES-GCM is good for 2^24.5 records (RFC 8446 section 5.5), 360 GiB of full ones; OpenSSL doesn't count.
constexpr std::uint64_t bytes_of_key = std::uint64_t{16} << 30U;

bool speaks_our_protocol(const SSL* ssl)
{
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &name, &size);
    return std::string_view{reinterpret_cast<const char*>(name), size} == swarm_protocol_name;
}

}  // namespace

PeerTls::PeerTls(std::shared_ptr<const PeerTlsContext> context, bool by_us, Micros now)
    : context_{std::move(context)}, now_{now}, ssl_{SSL_new(context_->native()), SSL_free}
{
    BIO* const bio = BIO_new(span_method());
    if (!ssl_ || bio == nullptr) {
        BIO_free(bio);
        throw std::bad_alloc{};
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    if (by_us)
        SSL_set_connect_state(ssl_.get());
    else
        SSL_set_accept_state(ssl_.get());
}

PeerTls::~PeerTls() = default;

Result<bool> PeerTls::shake_hands()
{
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) {
        if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_WANT_READ) return false;
        const auto why = openssl_reason();
        if (!refusal_.empty()) return fail(Errc::unauthorized, "the node's certificate isn't taken", refusal_);
        return fail(Errc::bad_request, "no TLS with the node", why);
    }
    if (!speaks_our_protocol(ssl_.get())) return fail(Errc::bad_request, "the node speaks another protocol");
    if (!peer_) return fail(Errc::unauthorized, "the node shows no certificate");
    return true;
}

Result<std::size_t> PeerTls::read(std::span<std::byte> into)
{
    ERR_clear_error();
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
    if (result == 1) return count;
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ: return std::size_t{0};
        case SSL_ERROR_ZERO_RETURN: return fail(Errc::connection_lost, "the other side has ended");
        default: return fail(Errc::bad_request, "the node breaks TLS", openssl_reason());
    }
}

Result<> PeerTls::seal(std::span<const std::byte> clear)
{
    ERR_clear_error();
    while (!clear.empty()) {
        std::size_t written = 0;
        if (SSL_write_ex(ssl_.get(), clear.data(), clear.size(), &written) != 1)
            return fail(Errc::internal, "TLS can't encrypt", openssl_reason());
        clear = clear.subspan(written);
        sealed_ += written;
    }
    if (sealed_ < bytes_of_key) return {};
    sealed_ = 0;
    if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1)
        return fail(Errc::internal, "TLS can't change its key", openssl_reason());
    return {};
}

void PeerTls::finish()
{
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    forget_openssl_errors();
}

}  // namespace entrepot
