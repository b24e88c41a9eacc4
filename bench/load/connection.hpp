#pragma once

#include "script.hpp"
#include "statistics.hpp"
#include "stream.hpp"

#include <memory>
#include <span>

namespace entrepot::load {

// One keep-alive connection that plays its script, one request at a time. Never blocks once made, but for the
// handshake of a connection that the server closed.
class Connection {
public:
    Connection(const Target& target, SSL_CTX* tls, std::unique_ptr<Script> script, Statistics& statistics);

    enum class Progress { waits_to_read, waits_to_write, has_more, reconnected, finished };

    // Sends the first request.
    Progress begin(bool stopping);
    // Goes on after the descriptor became ready; `scratch` is where bodies are read to and forgotten.
    Progress go_on(std::span<char> scratch, bool stopping);
    int descriptor() const { return stream_->descriptor(); }

private:
    Progress ask(bool stopping);
    Progress send();
    Progress receive(std::span<char> scratch, bool stopping);
    Progress answer(bool stopping);
    Progress broken(const char* how, bool stopping);
    std::size_t gather(std::span<iovec> pieces) const;

    const Target& target_;
    SSL_CTX* tls_;
    std::unique_ptr<Script> script_;
    Statistics& statistics_;
    std::unique_ptr<Stream> stream_;
    ResponseReader reader_;
    const Request* request_ = nullptr;
    std::uint64_t sent_ = 0;
    std::uint64_t to_send_ = 0;
    bool sending_ = false;
    bool in_unit_ = false;
    Clock::time_point unit_began_;
};

}  // namespace entrepot::load
