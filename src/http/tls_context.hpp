#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "http/server.hpp"

#include <memory>
#include <mutex>

struct ssl_ctx_st;

namespace entrepot::http {

using SslContext = std::shared_ptr<ssl_ctx_st>;

// Reads a certificate chain and its key. TLS 1.2 and 1.3, forward secrecy and AEAD only, ALPN "http/1.1".
Result<SslContext> load_tls(const TlsFiles& files);

// When its certificate ends (RFC 5280 section 4.1.2.5).
Micros expiry_of(const SslContext& context);

// The context that a listener's new connections get; connections keep the one they began with. Safe from any thread.
class TlsIdentity {
public:
    TlsIdentity(TlsFiles files, SslContext context) : files_{std::move(files)}, context_{std::move(context)} {}

    const TlsFiles& files() const noexcept { return files_; }
    SslContext get() const;
    void replace(SslContext context);

private:
    TlsFiles files_;
    mutable std::mutex mutex_;
    SslContext context_;
};

}  // namespace entrepot::http
