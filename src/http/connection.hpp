#pragma once

#include "http/head_parser.hpp"
#include "http/inbound_request.hpp"
#include "http/incoming_body.hpp"
#include "http/loop.hpp"
#include "http/outgoing.hpp"
#include "http/rate_watch.hpp"
#include "http/receive_buffer.hpp"

namespace entrepot::http {

// One client's connection: reads heads, asks the handler, sends answers, one request after the other. Lives on one
// loop and is owned by its pending operations; when none is left it is gone.
// A request that the handler's peek() answers is read, answered and sent without a coroutine and without waiting.
class Connection final : public Timed {
public:
    using Hold = boost::intrusive_ptr<Connection>;

    // Takes over the connected, non-blocking socket, which `admission` has let in.
    Connection(Loop& loop, Endpoint& endpoint, int descriptor, const Address& peer);
    ~Connection();

    // Goes on until something has to be waited for.
    void proceed();
    // The loop drains: ends now if no request is in hand.
    void drain();
    // Ends now, whatever is going on.
    void cut() noexcept;
    // Whether bytes have moved, or the connection was young, within `stalled` ticks. Asked once a tick.
    bool progresses(Tick now, Tick stalled) noexcept;
    // Where the loop's list holds this connection.
    std::size_t place() const noexcept { return place_; }
    void place(std::size_t index) noexcept { place_ = index; }

private:
    friend class BodyReader;
    friend void intrusive_ptr_add_ref(Connection* connection) noexcept { ++connection->references_; }
    friend void intrusive_ptr_release(Connection* connection) noexcept
    {
        if (--connection->references_ == 0) delete connection;
    }

    enum class Phase { handshake, head, handler, answer, sending, streaming, piece, discarding, lingering, closed };
    // What proceed() does after a step.
    enum class Next { step, wait_read, wait_write, yield, pause, stay };

    Next step();
    Next shake_hands();
    Next read_head();
    Next receive_head();
    Next wait_for_head() noexcept;
    Next take_request();
    Next start_handler();
    Next refuse(const Refusal& refusal);
    Next respond(Response&& response);
    Next send_more();
    Next sent(Io io, std::uint64_t allowed, std::uint64_t bytes);
    Next take_piece();
    Next send_piece();
    bool in_pieces() const noexcept { return stream_ || arriving_; }
    Next answer_sent();
    Next next_request();
    Next discard();
    Next start_lingering();
    Next linger();
    Next close() noexcept;

    static asio::awaitable<void> run_handler(Hold self);
    static asio::awaitable<void> read_piece(Hold self);
    static asio::awaitable<void> read_part(Hold self);
    void watch_peer();
    void hear_peer();
    void wait(bool for_read);
    void resumed();
    void due(Tick now) override;
    void deadline(std::chrono::seconds from_now) noexcept;
    Next wait_in_body(bool for_read);
    void watch_rate() noexcept;
    std::int64_t moved() const noexcept;
    bool may_be_reused() const noexcept;
    std::uint64_t budget(std::uint64_t wanted);

    Loop& loop_;
    Endpoint& endpoint_;
    const Address peer_;
    const int descriptor_number_;
    LoopDescriptor descriptor_;
    std::unique_ptr<Transport> transport_;
    unsigned references_ = 0;
    std::size_t place_ = 0;
    Phase phase_ = Phase::handshake;
    bool running_ = false;
    bool may_receive_ = true;    // bytes may be there, as far as we know
    bool unparsed_ = false;      // bytes in the buffer that the parser has not seen
    bool head_begun_ = false;    // its deadline is set
    bool rate_watched_ = false;  // waiting for a peer that has to keep up the least rate
    bool timed_out_ = false;
    bool keep_alive_ = true;
    bool continued_ = false;  // 100 (Continue) was sent
    ReceiveBuffer buffer_;
    HeadParser parser_;
    InboundRequest request_;
    Framing framing_;
    IncomingBody body_;
    std::uint64_t discarded_ = 0;
    unsigned answered_ = 0;           // in this turn, also pieces of an answer
    std::optional<Response> answer_;  // of the coroutine
    Outgoing outgoing_;
    std::shared_ptr<StreamedBody> stream_;  // what is being sent, piece by piece
    std::string piece_;
    bool last_piece_ = false;
    std::shared_ptr<ArrivingBody> arriving_;  // the same of a body that arrives
    ArrivingBody::Part part_;
    std::uint64_t arrived_ = 0;  // of it, taken for sending
    bool peer_watched_ = false;  // for its leaving, while a body is streamed
    RateWatch rate_;
    std::int64_t moved_last_ = 0;
    Tick moved_at_ = 0;
};

}  // namespace entrepot::http
