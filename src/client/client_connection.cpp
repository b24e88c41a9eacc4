#include "client/client_connection.hpp"

#include "core/ascii.hpp"
#include "core/bytes.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

namespace entrepot {
namespace {

namespace web = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t piece = 64 * 1024;

bool is_number(const std::string& host)
{
    error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

bool is_value(std::string_view text) noexcept
{
    return std::all_of(text.begin(), text.end(), [](char byte) {
        return byte == '\t' || (static_cast<unsigned char>(byte) >= ' ' && byte != 0x7f);
    });
}

Result<> check_fields(const ClientRequest& request)
{
    if (!is_token(request.method)) return fail(Errc::bad_request, "that is no HTTP method");
    for (const auto& field : request.fields) {
        if (!is_token(field.name) || !is_value(field.value))
            return fail(Errc::bad_request, "the header field " + field.name + " can't be sent");
    }
    return {};
}

}  // namespace

ClientConnection::ClientConnection(asio::any_io_executor executor, HttpUrl origin)
    : executor_{executor}, origin_{std::move(origin)}, stream_{std::in_place_type<Plain>, executor}
{
}

ClientConnection::ClientConnection(asio::any_io_executor executor, HttpUrl origin, asio::ssl::context& context)
    : executor_{executor}, origin_{std::move(origin)}, stream_{std::in_place_type<Tls>, executor, context}
{
}

ClientConnection::Plain& ClientConnection::lowest()
{
    if (auto* tls = std::get_if<Tls>(&stream_)) return tls->next_layer();
    return std::get<Plain>(stream_);
}

void ClientConnection::expires_at(ClientDeadline deadline)
{
    lowest().expires_at(deadline);
}

Error ClientConnection::broken(const error_code& error, std::string_view doing) const
{
    const auto where = origin_.authority();
    if (error == boost::beast::error::timeout)
        return Error{Errc::request_timeout, fmt::format("{} takes too long to answer", where), std::string{doing}};
    if (error == web::error::body_limit)
        return Error{Errc::payload_too_large, fmt::format("the answer of {} is too long", where)};
    return Error{
        Errc::connection_lost,
        fmt::format("the connection to {} broke while {}: {}", where, doing, error.message()),
    };
}

Task<> ClientConnection::connect(ClientDeadline deadline, const HttpClientOptions& options)
{
    error_code error;
    Tcp::resolver resolver{executor_};
    const auto port = std::to_string(origin_.port);
    auto resolving = resolver.async_resolve(origin_.host, port, asio::redirect_error(asio::use_awaitable, error));
    const auto found = co_await std::move(resolving);
    if (error) {
        co_return fail(
            Errc::unavailable, fmt::format("the name {} can't be looked up: {}", origin_.host, error.message())
        );
    }
    std::vector<Tcp::endpoint> endpoints;
    for (const auto& entry : found) {
        const auto address = Address::of(*entry.endpoint().data());
        if (!options.rules || options.rules->allows(origin_.host, address)) endpoints.push_back(entry.endpoint());
    }
    if (endpoints.empty()) {
        co_return fail(Errc::denied, fmt::format("{} is where requests may not go", origin_.authority()));
    }
    expires_at(deadline);
    auto connecting = lowest().async_connect(endpoints, asio::redirect_error(asio::use_awaitable, error));
    co_await std::move(connecting);
    if (error)
        co_return fail(Errc::unavailable, fmt::format("can't reach {}: {}", origin_.authority(), error.message()));
    error_code unimportant;
    lowest().socket().set_option(Tcp::no_delay{true}, unimportant);
    if (origin_.tls) CO_CHECK(co_await shake_hands(options));
    co_return Result<>{};
}

bool ClientConnection::is_pinned_certificate(const std::string& pin)
{
    const std::unique_ptr<X509, decltype(&X509_free)> shown{
        SSL_get1_peer_certificate(std::get<Tls>(stream_).native_handle()), X509_free
    };
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned size = 0;
    if (!shown || X509_digest(shown.get(), EVP_sha256(), hash.data(), &size) != 1) return false;
    return same_word(pin, "sha256:" + to_hex(std::as_bytes(std::span{hash.data(), size})));
}

Task<> ClientConnection::shake_hands(const HttpClientOptions& options)
{
    const bool pinned = !options.certificate_pin.empty() && origin_.host == options.pinned_host;
    const bool insecure = options.insecure || pinned;
    auto& tls = std::get<Tls>(stream_);
    if (!is_number(origin_.host)) SSL_set_tlsext_host_name(tls.native_handle(), origin_.host.c_str());
    error_code error;
    if (insecure) {
        tls.set_verify_mode(asio::ssl::verify_none, error);
    } else {
        tls.set_verify_mode(asio::ssl::verify_peer, error);
        tls.set_verify_callback(asio::ssl::host_name_verification{origin_.host}, error);
    }
    error.clear();
    co_await tls.async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
    if (!error && pinned && !is_pinned_certificate(options.certificate_pin)) {
        co_return fail(
            Errc::unavailable, fmt::format("{} shows another certificate than the pinned one", origin_.authority())
        );
    }
    if (!error) co_return Result<>{};
    const auto verdict = SSL_get_verify_result(tls.native_handle());
    const std::string why =
        !insecure && verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : error.message();
    co_return fail(Errc::unavailable, fmt::format("no trusted TLS connection to {}: {}", origin_.authority(), why));
}

template <class Message>
Task<> ClientConnection::write_head(Message& message)
{
    error_code error;
    web::request_serializer<typename Message::body_type> serializer{message};
    auto sending = std::visit(
        [&](auto& stream) {
            return web::async_write(stream, serializer, asio::redirect_error(asio::use_awaitable, error));
        },
        stream_
    );
    co_await std::move(sending);
    if (error) co_return std::unexpected{broken(error, "sending")};
    co_return Result<>{};
}

Task<> ClientConnection::write(std::string bytes)
{
    error_code error;
    auto sending = std::visit(
        [&](auto& stream) {
            return asio::async_write(stream, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
        },
        stream_
    );
    co_await std::move(sending);
    if (error) co_return std::unexpected{broken(error, "sending")};
    co_return Result<>{};
}

Task<> ClientConnection::write_source(ByteSource& source, bool chunked, std::chrono::milliseconds patience)
{
    std::string bytes;
    for (;;) {
        bytes.resize(piece);
        auto filled = source.read(std::as_writable_bytes(std::span{bytes}));
        CO_TRY(const auto count, co_await std::move(filled));
        if (count == 0) break;
        bytes.resize(count);
        expires_at(std::chrono::steady_clock::now() + patience);
        CO_CHECK(co_await write(chunked ? fmt::format("{:x}\r\n{}\r\n", count, bytes) : bytes));
    }
    if (chunked) CO_CHECK(co_await write("0\r\n\r\n"));
    co_return Result<>{};
}

Task<> ClientConnection::send(const ClientRequest& request, const HttpUrl& url, const HttpClientOptions& options)
{
    CO_CHECK(check_fields(request));
    received_ = false;
    web::request<web::string_body> message;
    message.version(11);
    message.method_string(request.method);
    message.target(url.target);
    message.set(web::field::host, url.authority());
    message.set(web::field::user_agent, options.user_agent);
    for (const auto& field : request.fields) message.insert(field.name, field.value);
    const bool may_have_body = request.method != "GET" && request.method != "HEAD";
    if (request.source == nullptr) {
        message.body() = request.body;
        if (may_have_body || !request.body.empty()) message.content_length(request.body.size());
        auto writing = write_head(message);
        co_return co_await std::move(writing);
    }
    web::request<web::empty_body> head{web::request_header<>{message.base()}};
    const auto size = request.source->size();
    if (size)
        head.set(web::field::content_length, std::to_string(*size));
    else
        head.set(web::field::transfer_encoding, "chunked");
    std::string bytes = fmt::format("{} {} HTTP/1.1\r\n", request.method, url.target);
    for (const auto& field : head) {
        bytes += fmt::format(
            "{}: {}\r\n",
            std::string_view{field.name_string().data(), field.name_string().size()},
            std::string_view{field.value().data(), field.value().size()}
        );
    }
    bytes += "\r\n";
    CO_CHECK(co_await write(std::move(bytes)));
    auto body = write_source(*request.source, !size, options.idle_patience);
    co_return co_await std::move(body);
}

Task<> ClientConnection::read_head(AnswerParser& parser)
{
    error_code error;
    auto reading = std::visit(
        [&](auto& stream) {
            return web::async_read_header(stream, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
        },
        stream_
    );
    const auto count = co_await std::move(reading);
    received_ = received_ || count > 0;
    if (error) co_return std::unexpected{broken(error, "waiting for the answer")};
    co_return Result<>{};
}

Task<std::size_t> ClientConnection::read_body(AnswerParser& parser, std::span<std::byte> into)
{
    while (!parser.is_done() && !into.empty()) {
        auto& body = parser.get().body();
        body.data = into.data();
        body.size = into.size();
        error_code error;
        auto reading = std::visit(
            [&](auto& stream) {
                return web::async_read_some(stream, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
            },
            stream_
        );
        co_await std::move(reading);
        const auto count = into.size() - body.size;
        if (error && error != web::error::need_buffer) co_return std::unexpected{broken(error, "reading the answer")};
        if (count > 0) co_return count;
    }
    co_return std::size_t{0};
}

bool ClientConnection::is_quiet()
{
    if (buffer_.size() > 0) return false;
    char byte = 0;
    const auto count = ::recv(lowest().socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // A TLS peer may have sent session tickets, which only the next read will take; what else it sends is an alert.
    return (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) || (count == 1 && origin_.tls && byte == 23);
}

}  // namespace entrepot
