#pragma once

#include "client/http_client.hpp"
#include "client/http_url.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

// The inside of the HTTP client: what has Boost.Beast in it. Included by src/client/*.cpp alone.
namespace entrepot {

using ClientDeadline = std::chrono::steady_clock::time_point;
using AnswerParser = boost::beast::http::response_parser<boost::beast::http::buffer_body>;

// A connection to one origin, at rest between two exchanges or owned by one. Used on one executor.
class ClientConnection {
public:
    ClientConnection(asio::any_io_executor executor, HttpUrl origin);  // plain
    ClientConnection(asio::any_io_executor executor, HttpUrl origin, asio::ssl::context& context);

    Task<> connect(ClientDeadline deadline, const HttpClientOptions& options);
    // Sends head and body.
    Task<> send(const ClientRequest& request, const HttpUrl& url, const HttpClientOptions& options);
    // Reads heads until one that is final. The parser is left where the body begins.
    Task<> read_head(AnswerParser& parser);
    // At least one byte of the body, or 0 at its end.
    Task<std::size_t> read_body(AnswerParser& parser, std::span<std::byte> into);
    void expires_at(ClientDeadline deadline);

    // Nothing has come since the last answer ended, so the peer is still there and in step.
    bool is_quiet();
    bool received_anything() const noexcept { return received_; }
    const HttpUrl& origin() const noexcept { return origin_; }
    const asio::any_io_executor& executor() const noexcept { return executor_; }

private:
    using Plain = boost::beast::tcp_stream;
    using Tls = boost::beast::ssl_stream<boost::beast::tcp_stream>;

    template <class Message>
    Task<> write_head(Message& message);
    Task<> write(std::string bytes);
    Task<> write_source(ByteSource& source, bool chunked, std::chrono::milliseconds patience);
    Task<> shake_hands(const HttpClientOptions& options);
    bool is_pinned_certificate(const std::string& pin);
    Error broken(const boost::system::error_code& error, std::string_view doing) const;
    Plain& lowest();

    asio::any_io_executor executor_;
    HttpUrl origin_;
    std::variant<Plain, Tls> stream_;
    boost::beast::flat_buffer buffer_;
    bool received_ = false;
};

// What the copies of a client's work share: trust and connections at rest. Safe from any thread.
class HttpClient::State {
public:
    State(HttpClientOptions options, asio::ssl::context context)
        : options_{std::move(options)}, context_{std::move(context)}
    {
    }

    const HttpClientOptions& options() const noexcept { return options_; }
    // One at rest that still stands, or none.
    std::unique_ptr<ClientConnection> take(const asio::any_io_executor& executor, const HttpUrl& origin);
    void give_back(std::unique_ptr<ClientConnection> connection);
    std::unique_ptr<ClientConnection> make(const asio::any_io_executor& executor, const HttpUrl& origin);

private:
    HttpClientOptions options_;
    asio::ssl::context context_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<ClientConnection>> idle_;  // the longest at rest first
};

}  // namespace entrepot
