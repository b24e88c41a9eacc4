#pragma once

#include "http/chunked_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/receive_buffer.hpp"
#include "http/transport.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace entrepot::http {

// What is left of the body of the request in hand: takes it from the buffer and then from the transport, without
// waiting.
class IncomingBody {
public:
    enum class State { open, complete, malformed, lost };
    struct Taken {
        std::size_t bytes = 0;
        bool blocked = false;  // nothing there now: wait until the socket is readable
    };

    void begin(const Framing& framing) noexcept;
    State state() const noexcept { return state_; }
    // Bytes still to come, where that is known.
    std::optional<std::uint64_t> remaining() const noexcept;
    bool untouched() const noexcept { return untouched_; }

    // Fills `into` as far as bytes are there. No bytes and not blocked: look at state().
    Taken take(std::span<std::byte> into, ReceiveBuffer& buffer, Transport& transport);
    // Bytes that were received with the body's last ones but belong to what follows; the caller takes them over.
    std::string& excess() noexcept { return excess_; }
    // Bytes received from the peer for this body, framing included.
    std::uint64_t received() const noexcept { return received_; }

private:
    std::size_t from_buffer(std::span<std::byte> into, ReceiveBuffer& buffer);
    std::size_t decoded(std::span<std::byte> bytes, std::size_t& consumed);
    std::size_t accepted(std::span<std::byte> bytes);

    State state_ = State::complete;
    bool chunked_ = false;
    bool untouched_ = true;
    std::uint64_t left_ = 0;
    std::uint64_t received_ = 0;
    ChunkedDecoder decoder_;
    std::string excess_;
};

}  // namespace entrepot::http
