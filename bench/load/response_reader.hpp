#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot::load {

// Reads one HTTP/1.1 response (RFC 9112) from bytes in whatever pieces they come. The body is counted, not kept.
class ResponseReader {
public:
    // HEAD has a Content-Length and no body.
    void start(bool expect_body);

    // Takes what belongs to the response and returns how much that was; nullopt: this is no response we can read.
    std::optional<std::size_t> feed(std::string_view bytes);

    bool done() const { return state_ == State::done; }
    int status() const { return status_; }
    // As announced, or as counted for a chunked body.
    std::uint64_t length() const { return announced_.value_or(body_); }
    std::uint64_t body_bytes() const { return body_; }
    bool closes() const { return closes_; }
    const std::string& location() const { return location_; }

private:
    enum class State { head, body, chunk_size, chunk, chunk_end, trailer, done };

    bool read_head(std::string_view head);
    void read_field(std::string_view name, std::string_view value);
    std::optional<std::size_t> feed_head(std::string_view bytes);
    std::optional<std::size_t> feed_line(std::string_view bytes);
    std::size_t feed_body(std::string_view bytes);
    bool finish_line();

    State state_ = State::done;
    bool expect_body_ = true;
    bool closes_ = false;
    bool chunked_ = false;
    int status_ = 0;
    std::optional<std::uint64_t> announced_;
    std::uint64_t left_ = 0;
    std::uint64_t body_ = 0;
    std::string location_;
    std::string kept_;  // an unfinished head or chunk line
};

}  // namespace entrepot::load
