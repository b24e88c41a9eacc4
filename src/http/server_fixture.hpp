#pragma once

#include "http/server.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace entrepot::http {

// A connected client socket for tests: blocking, with a time limit on every call.
class RawClient {
public:
    explicit RawClient(std::uint16_t port, int receive_buffer = 0);
    ~RawClient();
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    struct Answer {
        unsigned status = 0;  // 0: the connection ended first
        std::string head;
        std::string body;
        bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
    };

    bool send(std::string_view text) const;
    Answer read_answer(bool head_request = false);
    std::string read_exactly(std::size_t count);
    // True when the peer has ended the connection and nothing more was to be read.
    bool ended();
    void shut() const;
    int descriptor() const noexcept { return descriptor_; }

private:
    bool fill();

    int descriptor_;
    std::string held_;
};

// GET /hot: peeked "hot". /file: a file of file_size bytes. /memory?N: N bytes. PUT /echo: the body. /throw, /none,
// /origin, /ignore (answers without reading), /wait?N (an answer after N bytes of body).
class TestHandler final : public Handler {
public:
    // Made once: its content takes a while under the sanitizers.
    static TestHandler& instance();

    std::optional<Response> peek(const Request& request) noexcept override;
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

    static constexpr std::size_t file_size = 24 * 1024 * 1024;
    const std::string& file_content() const noexcept { return content_; }

private:
    TestHandler();

    std::string content_;
    std::shared_ptr<const OpenFile> file_;
};

class ServerTest : public testing::Test {
protected:
    // One listener on the loopback address.
    void serve(HttpLimits limits = {}, std::optional<TlsFiles> tls = {}, std::uint64_t rate = 0, unsigned loops = 2);
    void TearDown() override;
    std::uint16_t port() const { return server->port(0); }

    SystemClock clock;
    TestHandler& handler = TestHandler::instance();
    std::unique_ptr<HttpServer> server;
};

}  // namespace entrepot::http
