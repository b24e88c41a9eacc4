#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace entrepot::http {

// Why a request is answered by the session itself. All text is ours, nothing of the peer's is in it.
struct Refusal {
    unsigned status = 400;
    std::string_view code;
    std::string_view message;
};

// How a request's body is delimited and what happens after it (RFC 9112 sections 6 and 9).
struct Framing {
    bool http_1_0 = false;
    bool keep_alive = true;
    bool chunked = false;
    bool expects_continue = false;
    std::uint64_t content_length = 0;
    bool has_content_length = false;
    std::string_view authority;  // of an absolute-form target, else of Host; empty in HTTP/1.0 without Host

    bool has_body() const noexcept { return chunked || content_length > 0; }
};

// Reads the head of one request (RFC 9112 sections 2 to 6), strictly: whatever two implementations could read
// differently is refused. Does no I/O and keeps no copy: the views it hands out point into the caller's bytes.
class HeadParser {
public:
    enum class State { incomplete, complete, refused };

    HeadParser(std::size_t header_bytes, std::size_t header_count) noexcept
        : header_bytes_{header_bytes}, header_count_{header_count}
    {
    }

    // `bytes` is all that has come since the last message ended: at each call the same bytes and more behind them.
    // Only a complete head fills `request` and `framing`.
    State parse(std::string_view bytes, Request& request, Framing& framing);
    // Length of a complete head, empty lines before it included.
    std::size_t size() const noexcept { return end_; }
    const Refusal& refusal() const noexcept { return refusal_; }
    // Forgets everything; the next head begins.
    void reset() noexcept;

private:
    State refuse(unsigned status, std::string_view code, std::string_view message) noexcept;
    State find_end(std::string_view bytes) noexcept;
    State incomplete(std::string_view bytes) noexcept;

    std::size_t header_bytes_;
    std::size_t header_count_;
    std::size_t start_ = 0;       // of the request line
    std::size_t line_start_ = 0;  // of the line that is not complete yet
    std::size_t scanned_ = 0;
    std::size_t end_ = 0;
    unsigned empty_lines_ = 0;
    Refusal refusal_;
};

// host [ ":" port ] as a Host header may hold it (RFC 9110 section 7.2); user information is not allowed.
bool is_authority(std::string_view text) noexcept;

}  // namespace entrepot::http
