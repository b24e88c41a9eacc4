#pragma once

#include "core/asio.hpp"
#include "core/error.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>

namespace entrepot {

// The bytes of a connection below TLS. Reading and writing never wait; readable() and writable() do, one coroutine each
// at a time. An interface, so that a test can put delay in between. Used on one loop.
class PeerStream {
public:
    virtual ~PeerStream() = default;

    // How many bytes came; nullopt: none now. connection_lost, also when the other side has ended.
    virtual Result<std::optional<std::size_t>> read(std::span<std::byte> into) = 0;
    // How many bytes were taken; nullopt: none now. connection_lost.
    virtual Result<std::optional<std::size_t>> write(std::span<const std::byte> from) = 0;
    // Of what was written, bytes that the other side has not acknowledged.
    virtual std::size_t unacknowledged() const = 0;
    // The shortest so far, without what waits in queues; nullopt: nobody knows.
    virtual std::optional<std::chrono::microseconds> round_trip() const = 0;
    // Return when trying again makes sense, and when the stream is closed.
    virtual asio::awaitable<void> readable() = 0;
    virtual asio::awaitable<void> writable() = 0;
    // Says that nothing more will be written.
    virtual void finish() = 0;
    // At once; what waits on it returns, and reading and writing are connection_lost. May be called twice.
    virtual void close() = 0;
};

// On a connected socket: no Nagle delay, little that the kernel holds unsent (so that small frames are never far behind
// large ones), and an end after five seconds in which the other side takes nothing.
std::unique_ptr<PeerStream> make_socket_stream(asio::ip::tcp::socket socket);

}  // namespace entrepot
