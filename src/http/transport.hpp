#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <sys/uio.h>

namespace entrepot::http {

// What a non-blocking operation needs next.
enum class Io {
    ready,        // go on
    wants_read,   // wait until the socket is readable, then call again
    wants_write,  // wait until it is writable, then call again (or flush)
    ended,        // the peer has sent its last byte
    failed,       // the connection is of no more use
};

struct Transfer {
    std::size_t bytes = 0;
    Io next = Io::ready;
};

// Buffers that the connections of a loop share: nothing is left in them between two operations.
struct SharedBuffers {
    std::string head;        // of an answer
    std::string ciphertext;  // of one send
    std::string discard;     // bytes nobody wants, and files on their way into TLS
};

// The bytes of one connection, in clear or encrypted. Never blocks; used by its loop alone. Doesn't own the socket.
class Transport {
public:
    virtual ~Transport() = default;

    // Ready once application data may flow.
    virtual Io handshake() = 0;
    virtual Transfer receive(std::span<std::byte> into) = 0;
    // True when received bytes wait in here, for which the socket will not become readable.
    virtual bool holds_input() const noexcept = 0;
    // Takes as much as goes. All taken and wants_write: the last bytes still wait for flush().
    virtual Transfer send(std::span<const iovec> parts, bool more_follows) = 0;
    virtual Transfer send_file(const FileRange& range) = 0;
    virtual Io flush() = 0;
    // Says that no more will be sent.
    virtual void finish() = 0;
};

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(int descriptor) noexcept : descriptor_{descriptor} {}

    Io handshake() override { return Io::ready; }
    Transfer receive(std::span<std::byte> into) override;
    bool holds_input() const noexcept override { return false; }
    Transfer send(std::span<const iovec> parts, bool more_follows) override;
    Transfer send_file(const FileRange& range) override;
    Io flush() override { return Io::ready; }
    void finish() override;

private:
    int descriptor_;
};

}  // namespace entrepot::http
