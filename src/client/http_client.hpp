#pragma once

#include "client/outbound_rules.hpp"
#include "core/bytes.hpp"
#include "core/task.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

struct HttpField {
    std::string name;
    std::string value;
    bool secret = false;  // not repeated to another origin after a redirect; Authorization and Cookie never are
};

struct HttpClientOptions {
    std::string ca_file{};  // PEM; empty: the system's certificate authorities
    std::string ca_text{};  // PEM; authorities besides these
    bool insecure = false;  // takes any certificate
    // "sha256:<hex>" of the DER of the one certificate that `pinned_host` may show, whoever signed it and whatever
    // `insecure` says; empty: none. Other hosts, after redirects, are trusted as usual.
    std::string certificate_pin{};
    std::string pinned_host{};  // lower-case
    std::string user_agent = "entrepot";
    std::chrono::milliseconds connect_patience{10'000};  // connecting and the TLS handshake
    // send(): all of it; open(): until the head is there; both: once the last byte of a `source` is sent
    std::chrono::milliseconds exchange_patience{60'000};
    // Between two pieces of a body: of one that open() gives, or of a `source`.
    std::chrono::milliseconds idle_patience{30'000};
    std::size_t longest_body = 16 * 1024 * 1024;  // of an answer that send() gathers
    bool cut_long_bodies = false;                 // send() takes the front of a longer one then, instead of refusing it
    unsigned most_redirects = 5;
    std::size_t most_idle = 16;  // connections kept open for the next request
    // Checked against the very address that is connected to; null: everywhere, as the operator chose.
    std::shared_ptr<const OutboundRules> rules{};
};

struct ClientRequest {
    std::string method = "GET";
    std::string url;
    std::vector<HttpField> fields{};
    std::string body{};
    ByteSource* source = nullptr;  // sent in the place of `body`; it can't be sent twice, so it follows no redirect
    bool follow = true;            // false: a redirect is an answer like others
};

// The first part of an answer. Any status counts as an answer.
struct ClientAnswerHead {
    unsigned status = 0;
    std::vector<HttpField> fields;
    std::string url;  // that answered, after redirects

    std::string_view field(std::string_view name) const noexcept;  // the first of that name, empty when there is none
};

struct ClientResponse : ClientAnswerHead {
    std::string body;
};

struct ClientStream : ClientAnswerHead {
    std::unique_ptr<ByteSource> body;  // to be read on the executor that opened it, and to go before its loop
};

// An outbound client of HTTP/1.1, plain and TLS. Connections are kept and used again by the executor that made them.
// Redirects are followed for GET and HEAD, and for others where the answer says so (307, 308); never from https to
// http. Safe from any thread; `run_to_end(client.send(…))` is the blocking use. It must go before the loops it is used
// on. Errors: bad_request (an address or a field that can't be sent), unavailable (nobody there, or no trust in who
// is), request_timeout, connection_lost, payload_too_large (an answer longer than allowed). Looking a name up takes as
// long as the system's resolver takes and can't be hurried.
class HttpClient {
public:
    static Result<HttpClient> create(HttpClientOptions options);  // bad_request: the CA file
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;
    ~HttpClient();

    Task<ClientResponse> send(ClientRequest request);
    Task<ClientStream> open(ClientRequest request);

    class State;

private:
    explicit HttpClient(std::shared_ptr<State> state);

    std::shared_ptr<State> state_;
};

}  // namespace entrepot
