#include "http/connection.hpp"

#include "core/log.hpp"
#include "http/body_reader.hpp"
#include "http/response_head.hpp"
#include "http/tls_transport.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <limits>

#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace entrepot::http {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t small_buffer = 4 * 1024;
constexpr std::uint64_t slice = 1024 * 1024;        // of a body that is sent before others get their turn
constexpr std::uint64_t limited_slice = 64 * 1024;  // the same on a listener with a rate
constexpr std::uint64_t most_discarded = 256 * 1024;
constexpr std::size_t discard_buffer = 64 * 1024;
constexpr unsigned most_answers_in_a_turn = 64;
constexpr auto linger_time = 3s;

std::unique_ptr<Transport> make_transport(const Endpoint& endpoint, int descriptor, SharedBuffers& buffers)
{
    if (endpoint.tls) return make_tls_transport(descriptor, endpoint.tls->get(), buffers);
    return std::make_unique<PlainTransport>(descriptor);
}

}  // namespace

Connection::Connection(Loop& loop, Endpoint& endpoint, int descriptor, const Address& peer)
    : loop_{loop},
      endpoint_{endpoint},
      peer_{peer},
      descriptor_number_{descriptor},
      descriptor_{loop.context(), descriptor},
      transport_{make_transport(endpoint, descriptor, loop.buffers())},
      parser_{loop.shared().limits.header_bytes, loop.shared().limits.header_count},
      request_{peer, endpoint.tls != nullptr, loop.shared().trusted, loop.ids()},
      moved_at_{loop.wheel().now()}
{
    loop_.enter(*this);
    deadline(loop_.shared().limits.header_timeout);
    head_begun_ = true;
}

Connection::~Connection()
{
    loop_.shared().admission.leave(peer_);
    loop_.leave(*this);
}

void Connection::proceed()
{
    if (running_) return;
    const Hold hold{this};
    running_ = true;
    answered_ = 0;
    auto next = Next::step;
    while (next == Next::step) next = step();
    running_ = false;
    switch (next) {
        case Next::wait_read: wait(true); break;
        case Next::wait_write: wait(false); break;
        case Next::yield: asio::post(loop_.context(), [hold] { hold->proceed(); }); break;
        case Next::pause: loop_.pause(hold); break;
        case Next::step:
        case Next::stay: break;
    }
}

Connection::Next Connection::step()
{
    switch (phase_) {
        case Phase::handshake: return shake_hands();
        case Phase::head: return read_head();
        case Phase::handler:
        case Phase::streaming: return Next::stay;
        case Phase::answer: {
            auto response = std::move(*answer_);
            answer_.reset();
            return respond(std::move(response));
        }
        case Phase::sending: return send_more();
        case Phase::piece: return send_piece();
        case Phase::discarding: return discard();
        case Phase::lingering: return linger();
        case Phase::closed: break;
    }
    return Next::stay;
}

void Connection::wait(bool for_read)
{
    const auto what = for_read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
    descriptor_.async_wait(what, [hold = Hold{this}](boost::system::error_code) { hold->resumed(); });
}

void Connection::resumed()
{
    may_receive_ = true;
    if (rate_watched_) {
        rate_watched_ = false;
        rate_.resume(loop_.wheel().now());
    }
    proceed();
}

void Connection::deadline(std::chrono::seconds from_now) noexcept
{
    // One more, since a tick may be about to come.
    loop_.wheel().set(*this, loop_.wheel().now() + static_cast<Tick>(from_now.count()) + 1);
}

void Connection::watch_rate() noexcept
{
    rate_watched_ = true;
    loop_.wheel().set(*this, rate_.wait(loop_.wheel().now()));
}

Connection::Next Connection::wait_in_body(bool for_read)
{
    watch_rate();
    return for_read ? Next::wait_read : Next::wait_write;
}

void Connection::due(Tick now)
{
    const Hold hold{this};
    if (phase_ == Phase::handler || phase_ == Phase::sending || phase_ == Phase::streaming ||
        phase_ == Phase::discarding) {
        if (!rate_watched_) return;
        if (!rate_.too_slow(now, moved(), loop_.shared().limits.least_body_rate)) return watch_rate();
    }
    timed_out_ = true;
    descriptor_.cancel();
}

// Bytes of bodies that have left the peer or reached it; what waits in the socket for it does not count.
std::int64_t Connection::moved() const noexcept
{
    int waiting = 0;
    if (descriptor_.is_open()) ::ioctl(descriptor_number_, SIOCOUTQ, &waiting);
    return static_cast<std::int64_t>(body_.received() + outgoing_.sent()) - waiting;
}

bool Connection::progresses(Tick now, Tick stalled) noexcept
{
    if (const auto current = moved(); current != moved_last_) {
        moved_last_ = current;
        moved_at_ = now;
    }
    return now < moved_at_ + stalled;
}

void Connection::drain()
{
    moved_at_ = loop_.wheel().now();
    if (phase_ == Phase::head) descriptor_.cancel();
    if (stream_) stream_->stop();
}

void Connection::cut() noexcept
{
    const Hold hold{this};
    close();
}

Connection::Next Connection::close() noexcept
{
    if (phase_ == Phase::closed) return Next::stay;
    phase_ = Phase::closed;
    if (stream_) stream_->stop();
    if (arriving_) arriving_->stop();
    stream_.reset();
    arriving_.reset();
    TimerWheel::clear(*this);
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    return Next::stay;
}

Connection::Next Connection::shake_hands()
{
    if (timed_out_) return close();
    switch (transport_->handshake()) {
        case Io::ready: phase_ = Phase::head; return Next::step;
        case Io::wants_read: return Next::wait_read;
        case Io::wants_write: return Next::wait_write;
        case Io::ended:
        case Io::failed: break;
    }
    return close();
}

Connection::Next Connection::read_head()
{
    if (!unparsed_) return receive_head();
    switch (parser_.parse(buffer_.view(), request_, framing_)) {
        case HeadParser::State::complete: return take_request();
        case HeadParser::State::refused: return refuse(parser_.refusal());
        case HeadParser::State::incomplete: break;
    }
    unparsed_ = false;
    if (!head_begun_) {
        head_begun_ = true;
        deadline(loop_.shared().limits.header_timeout);
    }
    return receive_head();
}

Connection::Next Connection::receive_head()
{
    if (timed_out_) {
        if (buffer_.empty()) return close();
        timed_out_ = false;
        return refuse({408, "REQUEST_TIMEOUT", "the request head took too long"});
    }
    if (!may_receive_ && !transport_->holds_input()) return wait_for_head();
    const auto room = buffer_.prepare(small_buffer, loop_.shared().limits.header_bytes + 1);
    const auto got = transport_->receive(room);
    switch (got.next) {
        case Io::ready:
            buffer_.commit(got.bytes);
            loop_.counters().bytes_in.add(got.bytes);
            // A short read has emptied the socket: no need to ask again only to hear so.
            may_receive_ = got.bytes == room.size();
            unparsed_ = true;
            return Next::step;
        case Io::wants_read:
        case Io::wants_write: may_receive_ = false; return wait_for_head();
        case Io::ended:
        case Io::failed: break;
    }
    return close();
}

Connection::Next Connection::wait_for_head() noexcept
{
    return loop_.draining() && buffer_.empty() ? close() : Next::wait_read;
}

Connection::Next Connection::take_request()
{
    loop_.counters().requests.add();
    request_.renew(framing_.authority);
    // The bytes stay where they are until the request has been answered.
    buffer_.consume(parser_.size());
    parser_.reset();
    keep_alive_ = framing_.keep_alive;
    if (framing_.has_body()) return start_handler();
    auto response = endpoint_.options.handler->peek(request_);
    return response ? respond(std::move(*response)) : start_handler();
}

Connection::Next Connection::start_handler()
{
    body_.begin(framing_);
    continued_ = false;
    auto& in_flight = loop_.shared().in_flight;
    if (in_flight.fetch_add(1, std::memory_order_relaxed) >= loop_.shared().limits.requests_in_flight) {
        in_flight.fetch_sub(1, std::memory_order_relaxed);
        auto busy = refusal_answer({503, "UNAVAILABLE", "too many requests at once"});
        return respond(std::move(busy.add("Retry-After", "1")));
    }
    phase_ = Phase::handler;
    rate_.begin(moved());
    asio::co_spawn(loop_.context(), run_handler(Hold{this}), asio::detached);
    return phase_ == Phase::handler ? Next::stay : Next::step;
}

asio::awaitable<void> Connection::run_handler(Hold self)
{
    std::optional<Response> response;
    std::string thrown;
    BodyReader body{*self};
    try {
        response = co_await self->endpoint_.options.handler->handle(self->request_, body);
    } catch (const std::exception& exception) {
        thrown = exception.what();
    } catch (...) {
        thrown = "an unknown exception";
    }
    self->loop_.shared().in_flight.fetch_sub(1, std::memory_order_relaxed);
    if (!response) {
        log::error("a handler threw", {{"error", thrown}, {"request_id", self->request_.request_id()}});
        response = refusal_answer({500, "INTERNAL", "something went wrong here"});
    }
    if (self->phase_ == Phase::closed) co_return;
    self->answer_ = std::move(response);
    self->phase_ = Phase::answer;
    self->proceed();
}

Connection::Next Connection::refuse(const Refusal& refusal)
{
    loop_.counters().bad_requests.add();
    request_.renew({});
    request_.method = Method::other;
    framing_ = {};
    auto response = refusal_answer(refusal);
    response.close = true;
    return respond(std::move(response));
}

// Whether the rest of the body, if there is any, can be read over to get at the next request.
bool Connection::may_be_reused() const noexcept
{
    switch (body_.state()) {
        case IncomingBody::State::complete: return true;
        case IncomingBody::State::malformed:
        case IncomingBody::State::lost: return false;
        case IncomingBody::State::open: break;
    }
    // A client that waits for 100 (Continue) may send the body or not: there is no telling.
    if (framing_.expects_continue && !continued_ && body_.untouched()) return false;
    return body_.remaining().value_or(0) <= most_discarded;
}

Connection::Next Connection::respond(Response&& response)
{
    if (sends_body(response.status, request_.method == Method::head)) {
        stream_ = response.stream();
        arriving_ = response.arriving();
    }
    last_piece_ = false;
    arrived_ = 0;
    keep_alive_ = keep_alive_ && !response.close && !in_pieces() && !loop_.draining() && may_be_reused();
    const HeadOptions options{request_.method == Method::head, framing_.http_1_0, keep_alive_, loop_.date_line()};
    auto& head = loop_.buffers().head;
    head.clear();
    append_head(head, response, options);
    loop_.counters().answers[response.status / 100 % 6].add();
    phase_ = Phase::sending;
    const auto before = outgoing_.sent();
    const bool with_body = sends_body(response.status, options.head_request);
    const auto allowed = budget(with_body ? response.body_length() : 0);
    const auto io = outgoing_.begin(*transport_, head, std::move(response), with_body, allowed);
    const auto moved_now = outgoing_.sent() - before;
    if (io != Io::ready || !outgoing_.finished()) rate_.begin(moved());
    return sent(io, allowed, moved_now);
}

Connection::Next Connection::send_more()
{
    if (timed_out_) return close();
    const auto before = outgoing_.sent();
    const auto allowed = budget(outgoing_.left());
    if (allowed == 0 && outgoing_.left() > 0) return Next::pause;
    return sent(outgoing_.go_on(*transport_, allowed), allowed, outgoing_.sent() - before);
}

// How much of a body may be sent in this turn.
std::uint64_t Connection::budget(std::uint64_t wanted)
{
    if (!endpoint_.bucket.limited()) return slice;
    return wanted == 0 ? 0 : endpoint_.bucket.take(std::min(wanted, limited_slice), loop_.shared().clock.steady());
}

Connection::Next Connection::sent(Io io, std::uint64_t allowed, std::uint64_t bytes)
{
    loop_.counters().bytes_out.add(bytes);
    if (endpoint_.bucket.limited() && allowed > bytes) endpoint_.bucket.give_back(allowed - bytes);
    switch (io) {
        case Io::ready:
            if (outgoing_.finished()) return in_pieces() ? take_piece() : answer_sent();
            return endpoint_.bucket.limited() ? Next::step : Next::yield;
        case Io::wants_read:
        case Io::wants_write: return wait_in_body(false);
        case Io::ended:
        case Io::failed: break;
    }
    return close();
}

Connection::Next Connection::answer_sent()
{
    outgoing_.release();
    if (auto& excess = body_.excess(); !excess.empty()) {
        buffer_.put_back(excess);
        excess = {};
    }
    const bool body_open = body_.state() == IncomingBody::State::open;
    if (!keep_alive_) return start_lingering();
    if (!body_open) return next_request();
    phase_ = Phase::discarding;
    discarded_ = 0;
    rate_.begin(moved());
    return Next::step;
}

Connection::Next Connection::next_request()
{
    phase_ = Phase::head;
    head_begun_ = false;
    unparsed_ = !buffer_.empty();
    if (!unparsed_) buffer_.relax(small_buffer);
    deadline(loop_.shared().limits.idle_timeout);
    return ++answered_ < most_answers_in_a_turn ? Next::step : Next::yield;
}

Connection::Next Connection::discard()
{
    if (timed_out_) return close();
    auto& scratch = loop_.buffers().discard;
    scratch.resize(discard_buffer);
    const auto taken = body_.take(std::as_writable_bytes(std::span{scratch}), buffer_, *transport_);
    discarded_ += taken.bytes;
    if (taken.blocked) return wait_in_body(true);
    if (body_.state() == IncomingBody::State::complete) {
        // The end may have brought bytes of the next request with it.
        return answer_sent();
    }
    if (body_.state() != IncomingBody::State::open || discarded_ > most_discarded) return start_lingering();
    return Next::step;
}

// Closing while the peer still sends would reset the connection and take the answer away from it (RFC 9112 section
// 9.6): say that we are done, then read over what comes for a short time.
Connection::Next Connection::start_lingering()
{
    transport_->finish();
    const bool input_left = body_.state() != IncomingBody::State::complete || !buffer_.empty() || may_receive_;
    if (!input_left) return close();
    phase_ = Phase::lingering;
    deadline(linger_time);
    return Next::step;
}

Connection::Next Connection::linger()
{
    if (timed_out_) return close();
    auto& scratch = loop_.buffers().discard;
    scratch.resize(discard_buffer);
    for (int turn = 0; turn < 4; ++turn) {
        const auto got = transport_->receive(std::as_writable_bytes(std::span{scratch}));
        if (got.next == Io::wants_read || got.next == Io::wants_write) return Next::wait_read;
        if (got.next != Io::ready) return close();
    }
    return Next::yield;
}

}  // namespace entrepot::http
