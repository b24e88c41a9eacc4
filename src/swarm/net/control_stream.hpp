#pragma once

#include "core/asio.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/net/peer_tls_context.hpp"
#include "swarm/wire/control_frames.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace entrepot {

struct ControlStreamSettings {
    std::string host{};  // a name, which is looked up at each attempt, or an address
    std::uint16_t port = 0;
    std::string binding{};  // which address or interface it goes out from: as PeerNetworkSettings has it
    std::chrono::steady_clock::duration connect_time = std::chrono::seconds{10};  // with the handshake
    // Of silence, then a PING; without any answer for as long again the stream is lost.
    std::chrono::steady_clock::duration ping_after = std::chrono::seconds{30};
    // Between attempts: from the first to the longest, each twice the one before and up to half of it less at random.
    std::chrono::steady_clock::duration first_pause = std::chrono::milliseconds{200};
    std::chrono::steady_clock::duration longest_pause = std::chrono::seconds{5};
};

// Whom an agent's stream tells. Called on its loop; the stream may be called from there.
class ControlStreamOwner {
public:
    virtual ~ControlStreamOwner() = default;

    // There is a new stream, on which nothing was said yet: REGISTER is due. `tracker`: the address of its other end.
    virtual void connected(const asio::ip::address& tracker) = 0;
    virtual void received(const ControlFrame& frame) = 0;  // but for PING, PONG and BYE
    // There is none any more; another is tried for. `why` is for the log.
    virtual void lost(const std::string& why) = 0;
};

// An agent's one stream to the tracker: connects, connects again, answers PING. The other end has to be a seed by its
// certificate. Everything is to be called on the loop; owner and clock outlive it; stop() it before it goes.
class ControlStream {
public:
    ControlStream(
        asio::any_io_executor loop,
        ControlStreamSettings settings,
        std::shared_ptr<const PeerTlsContext> tls,
        ControlStreamOwner& owner,
        const Clock& clock
    );
    ~ControlStream();
    ControlStream(const ControlStream&) = delete;
    ControlStream& operator=(const ControlStream&) = delete;

    void start();
    // Where there is no stream, or too much of it unsent (1 MiB: the stream is lost then), nothing happens: what counts
    // is said again when there is one.
    void send(const ControlFrame& frame);
    bool is_connected() const noexcept;                     // from connected() to lost()
    void renew(std::shared_ptr<const PeerTlsContext> tls);  // for the next stream
    // Says BYE, and the owner hears nothing any more. To be awaited on the loop, once; a name that is being looked up
    // holds it up for two seconds at most.
    asio::awaitable<void> stop();

private:
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace entrepot
