#pragma once

#include "ports/audit_store.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot {

// Audit records as syslog messages (RFC 5424) over TCP (RFC 6587) or TLS (RFC 5425), framed by octet counting. It
// connects when there is something to send. Syslog knows no answers, so a batch counts as arrived when the other
// side's kernel has acknowledged all of it; after a failure some may arrive twice. One thread at a time; blocks.
class SyslogSink final : public AuditSink {
public:
    struct Target {
        bool tls = false;
        std::string host;  // also the name that the certificate must hold
        std::string port;
        std::string ca_file;                         // PEM; empty: the system's
        std::string instance;                        // HOSTNAME of the messages
        std::chrono::milliseconds patience{10'000};  // for connecting, and for one batch
    };
    // Throws std::runtime_error when the CA file can't be used.
    explicit SyslogSink(Target target);
    ~SyslogSink() override;

    Result<> send(std::span<const AuditMessage> messages) override;

private:
    class Connection;
    Target target_;
    std::unique_ptr<Connection> connection_;
    std::shared_ptr<void> tls_;  // SSL_CTX
};

// One message, framed. Facility 13 (log audit), severity notice, or warning for what was denied or failed.
std::string syslog_frame(const AuditMessage& message, std::string_view instance);

// "tcp://host:port" or "tls://host:port". bad_request.
Result<SyslogSink::Target> parse_syslog_target(std::string_view text);

}  // namespace entrepot
