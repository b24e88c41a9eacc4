#pragma once

#include "core/task.hpp"
#include "swarm/net/peer_stream.hpp"
#include "swarm/net/peer_tls.hpp"
#include "swarm/wire/control_frames.hpp"
#include "swarm/wire/frame_splitter.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// One end of a control stream: frames above, a socket below, and the memory of neither while nothing moves. For
// ControlServer and ControlStream; used on one loop.
class ControlLink {
public:
    // May serve many links: nothing is left in it between two turns of the loop.
    struct Scratch {
        std::vector<std::byte> sealed = std::vector<std::byte>(std::size_t{32} * 1024);
        std::vector<std::byte> clear = std::vector<std::byte>(std::size_t{16} * 1024);  // a record of TLS
    };
    // False: no more, now and later.
    using Taker = std::function<bool(const ControlFrame& frame)>;

    ControlLink(std::unique_ptr<PeerStream> stream, std::unique_ptr<PeerTls> tls)
        : stream_{std::move(stream)}, tls_{std::move(tls)}
    {
    }

    // As peer_handshake.hpp has it. take() is due in the turn of the loop in which it succeeds.
    Task<> shake_hands(Scratch& scratch);
    // Once hands are shaken.
    const NodeIdentity& peer() const noexcept { return tls_->peer(); }

    // Hands over the frames that have been read. bad_request: they are none; nothing is to be taken any more then.
    // connection_lost: TLS has ended, or is broken.
    Result<> take(Scratch& scratch, const Taker& each);
    // Reads, and takes. False: readable() is to be awaited before it is tried again.
    Result<bool> read(Scratch& scratch, const Taker& each);
    // Reads and forgets. False as above.
    Result<bool> discard(Scratch& scratch);
    asio::awaitable<void> readable() { return stream_->readable(); }

    // Whole frames, for flush().
    void send(std::string_view bytes);
    // For flush(), too, behind all that was sent: nothing follows.
    void finish() noexcept { finishing_ = true; }
    // Bytes that have not left, or what TLS has made of them.
    std::size_t unsent() const noexcept;
    // Encrypts and writes what the socket takes. False: writable() is to be awaited before it is tried again.
    // connection_lost; internal.
    Result<bool> flush();
    asio::awaitable<void> writable() { return stream_->writable(); }

    // At once; what waits returns, and reading and writing are connection_lost.
    void close();
    bool closed() const noexcept { return closed_; }

private:
    Result<bool> take_frames(const Taker& each);

    const std::unique_ptr<PeerStream> stream_;
    const std::unique_ptr<PeerTls> tls_;
    FrameSplitter splitter_;
    std::string waiting_;      // to be encrypted
    std::size_t sealed_ = 0;   // of it
    std::size_t written_ = 0;  // of what TLS has made
    bool finishing_ = false;
    bool finished_ = false;
    bool closed_ = false;
};

}  // namespace entrepot
