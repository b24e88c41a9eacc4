#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace entrepot::http {

// Takes the chunked transfer coding (RFC 9112 section 7.1) off a body, in place. Extensions and trailers are read over
// and dropped, within limits. Does no I/O; the input may be cut anywhere.
class ChunkedDecoder {
public:
    enum class State { more, done, malformed };
    struct Step {
        State state = State::more;
        std::size_t consumed = 0;  // of the input; all of it unless done
        std::size_t produced = 0;  // bytes of content, moved to the front of the input
    };

    Step decode(std::span<std::byte> bytes) noexcept;

private:
    enum class At {
        size_start,
        size,
        extension,
        size_feed,
        data,
        data_return,
        data_feed,
        trailer_start,
        trailer,
        trailer_feed,
        end_feed,
        done,
        malformed
    };

    At next(char c) noexcept;
    At size_digit(char c) noexcept;
    At counted(At stay, At end, char c) noexcept;

    At at_ = At::size_start;
    std::uint64_t left_ = 0;    // of the current chunk
    unsigned extra_bytes_ = 0;  // of this chunk's extensions, or of the trailers
};

}  // namespace entrepot::http
