#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/task.hpp"
#include "http/message.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

struct TlsFiles {
    std::string certificate_file;  // PEM, the whole chain
    std::string key_file;          // PEM
};

// One address that requests are taken from.
struct ListenerOptions {
    std::string name;        // for logs and metrics
    std::string address;     // numeric address, or an interface's name
    std::uint16_t port = 0;  // 0: the system chooses (tests)
    std::optional<TlsFiles> tls;
    std::uint64_t bytes_per_second = 0;  // sent by this listener in all; 0: no limit
    Handler* handler = nullptr;          // not owned; outlives the server
};

struct HttpLimits {
    std::size_t header_bytes = 32 * 1024;
    std::size_t header_count = 128;
    std::chrono::seconds header_timeout{30};  // from the first byte of a head (or the connection) to its end
    std::chrono::seconds idle_timeout{75};    // between requests
    std::uint64_t least_body_rate = 240;      // bytes a second, averaged over 10 s, for bodies in and out
    std::size_t connections = 0;              // 0: 90 % of the descriptor limit
    std::size_t connections_per_client = 8'192;
    std::size_t requests_in_flight = 16'384;  // coroutines at work, beyond: 503 with Retry-After
    std::vector<std::string> trusted_proxies{"127.0.0.0/8", "::1"};
};

// Counters of one server, summed over its loops.
struct HttpCounters {
    std::uint64_t connections_open = 0, connections_accepted = 0, connections_refused = 0;
    std::uint64_t requests = 0, bad_requests = 0, bytes_in = 0, bytes_out = 0;
    std::uint64_t answers[6] = {};  // by class: [2] is 2xx
    std::uint64_t in_flight = 0;
};

// Inbound HTTP/1.1 (RFC 9110, RFC 9112) on a loop per core. Each loop has its own acceptor (SO_REUSEPORT) and its own
// connections, which never leave it.
class HttpServer {
public:
    // Binds every listener; throws std::system_error or std::runtime_error (certificate) when it can't.
    HttpServer(std::vector<ListenerOptions> listeners, HttpLimits limits, const Clock& clock, unsigned loops);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // Starts the loops' threads. Connections are accepted from here on.
    void start();
    // The port a listener got, in the order given.
    std::uint16_t port(std::size_t listener) const;
    // An executor of one of the loops, for background coroutines of the application.
    asio::any_io_executor executor(unsigned loop = 0);
    // Reads certificates and keys again; a pair that doesn't load leaves the old one in use and is returned as the
    // error.
    Result<> reload_tls();
    // When the certificates end that listeners with TLS use now, by the listeners' names.
    std::vector<std::pair<std::string, Micros>> certificate_ends() const;
    // Stops accepting, closes idle connections, lets transfers that make progress finish; those without any for
    // `stalled` are cut, all after `longest`. Blocks until the last connection has ended; the loops go on running.
    void drain(std::chrono::seconds stalled, std::chrono::seconds longest);
    // Ends the loops and joins their threads.
    void stop();
    HttpCounters counters() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace entrepot
