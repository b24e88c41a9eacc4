#include "http/server_fixture.hpp"

#include "core/ascii.hpp"

#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace entrepot::http {

RawClient::RawClient(std::uint16_t port, int receive_buffer) : descriptor_{::socket(AF_INET, SOCK_STREAM, 0)}
{
    const timeval limit{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
        ::close(descriptor_);
        throw std::runtime_error{"connect"};
    }
}

RawClient::~RawClient()
{
    ::close(descriptor_);
}

bool RawClient::send(std::string_view text) const
{
    while (!text.empty()) {
        const auto count = ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

bool RawClient::fill()
{
    std::string piece(256 * 1024, '\0');
    const auto count = ::recv(descriptor_, piece.data(), piece.size(), 0);
    if (count <= 0) return false;
    held_.append(piece, 0, static_cast<std::size_t>(count));
    return true;
}

RawClient::Answer RawClient::read_answer(bool head_request)
{
    Answer answer;
    std::size_t end = 0;
    while ((end = held_.find("\r\n\r\n")) == std::string::npos) {
        if (!fill()) return answer;
    }
    answer.head = held_.substr(0, end + 4);
    held_.erase(0, end + 4);
    answer.status = static_cast<unsigned>(std::atoi(answer.head.c_str() + 9));
    const auto length = answer.head.find("Content-Length: ");
    if (head_request || length == std::string::npos) return answer;
    answer.body = read_exactly(std::strtoull(answer.head.c_str() + length + 16, nullptr, 10));
    return answer;
}

std::string RawClient::read_exactly(std::size_t count)
{
    while (held_.size() < count && fill()) {
    }
    const auto bytes = held_.substr(0, count);
    held_.erase(0, bytes.size());
    return bytes;
}

bool RawClient::ended()
{
    char byte = 0;
    return held_.empty() && ::recv(descriptor_, &byte, 1, 0) == 0;
}

void RawClient::shut() const
{
    ::shutdown(descriptor_, SHUT_WR);
}

TestHandler& TestHandler::instance()
{
    static TestHandler only;
    return only;
}

TestHandler::TestHandler()
{
    content_.resize(file_size);
    std::uint32_t state = 1;
    for (auto& byte : content_) {
        state = state * 1664525 + 1013904223;
        byte = static_cast<char>(state >> 24);
    }
    const int descriptor = ::memfd_create("content", MFD_CLOEXEC);
    if (::write(descriptor, content_.data(), content_.size()) != static_cast<ssize_t>(content_.size())) {
        throw std::runtime_error{"memfd"};
    }
    file_ = std::make_shared<OpenFile>(descriptor);
}

std::optional<Response> TestHandler::peek(const Request& request) noexcept
{
    Response response;
    if (request.path == "/hot") {
        response.body = MemoryRange{std::make_shared<std::string>("xxhotxx"), 2, 3};
    } else if (request.path == "/file") {
        response.body = FileRange{file_, 1, file_size - 1};
    } else if (request.path == "/memory") {
        const auto size = parse_decimal(request.query).value_or(0);
        response.body = MemoryRange{std::make_shared<std::string>(size, 'm'), 0, size};
    } else if (request.path == "/none") {
        response.status = 204;
    } else {
        return std::nullopt;
    }
    return response;
}

asio::awaitable<Response> TestHandler::handle(const Request& request, ByteSource& body)
{
    Response response;
    if (request.path == "/throw") throw std::runtime_error{"as asked"};
    if (request.path == "/ignore") {
        response.status = 413;
        response.body = std::string{"no"};
        co_return response;
    }
    if (request.path == "/origin") {
        const auto& origin = request.origin();
        response.body = origin.client + (origin.secure ? " https " : " http ") + origin.authority;
        co_return response;
    }
    auto text = co_await read_all(body, 64 * 1024 * 1024);
    if (!text) {
        response.status = text.error().code() == Errc::request_timeout ? 408 : 400;
        response.body = std::string{name_of(text.error().code())};
        co_return response;
    }
    response.add("X-Path", request.path);
    response.body = *std::move(text);
    co_return response;
}

void ServerTest::serve(HttpLimits limits, std::optional<TlsFiles> tls, std::uint64_t rate, unsigned loops)
{
    ListenerOptions listener;
    listener.name = "test";
    listener.address = "127.0.0.1";
    listener.tls = std::move(tls);
    listener.bytes_per_second = rate;
    listener.handler = &handler;
    server = std::make_unique<HttpServer>(std::vector{std::move(listener)}, std::move(limits), clock, loops);
    server->start();
}

void ServerTest::TearDown()
{
    if (server) server->stop();
}

}  // namespace entrepot::http
