#include "core/log.hpp"
#include "http/connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <fmt/format.h>

// The part of a connection that sends a body as it comes.
namespace entrepot::http {
namespace {

constexpr std::size_t longest_piece = 16 * 1024;
constexpr std::size_t discard_buffer = 16 * 1024;
constexpr unsigned most_pieces_in_a_turn = 64;

std::string framed(std::string_view piece, bool in_chunks)
{
    if (!in_chunks) return std::string{piece};
    return piece.empty() ? "0\r\n\r\n" : fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace

// The last piece has left, or the head.
Connection::Next Connection::take_piece()
{
    outgoing_.release();
    if (arriving_) last_piece_ = arrived_ == arriving_->length();
    if (last_piece_) {
        stream_.reset();
        arriving_.reset();
        return answer_sent();
    }
    phase_ = Phase::streaming;
    // What arrives has an end, and is waited for like any other answer.
    if (stream_ && loop_.draining()) stream_->stop();
    watch_peer();
    asio::co_spawn(loop_.context(), arriving_ ? read_part(Hold{this}) : read_piece(Hold{this}), asio::detached);
    if (phase_ == Phase::streaming) return Next::stay;
    return ++answered_ < most_pieces_in_a_turn ? Next::step : Next::yield;
}

asio::awaitable<void> Connection::read_piece(Hold self)
{
    const auto stream = self->stream_;
    std::string piece(longest_piece, '\0');
    Result<std::size_t> count{0};
    try {
        count = co_await stream->read(std::as_writable_bytes(std::span{piece}));
    } catch (const std::exception& thrown) {
        count = fail(Errc::internal, "a streamed body threw", thrown.what());
    }
    if (self->phase_ == Phase::closed) co_return;
    if (!count) {
        log::failure(log::Level::warning, "streaming an answer", count.error(), self->request_.request_id());
        self->close();
        co_return;
    }
    piece.resize(*count);
    self->last_piece_ = piece.empty();
    self->piece_ = framed(piece, !self->framing_.http_1_0);
    self->phase_ = Phase::piece;
    self->proceed();
}

asio::awaitable<void> Connection::read_part(Hold self)
{
    const auto body = self->arriving_;
    Result<ArrivingBody::Part> part{MemoryRange{}};
    try {
        part = co_await body->part(self->arrived_);
    } catch (const std::exception& thrown) {
        part = fail(Errc::internal, "an arriving body threw", thrown.what());
    }
    if (self->phase_ == Phase::closed) co_return;
    if (!part) {
        log::failure(log::Level::warning, "sending what arrives", part.error(), self->request_.request_id());
        self->close();
        co_return;
    }
    self->part_ = *std::move(part);
    self->phase_ = Phase::piece;
    self->proceed();
}

Connection::Next Connection::send_piece()
{
    phase_ = Phase::sending;
    Response piece;
    if (arriving_) {
        std::visit([&piece](auto& range) { piece.body = std::move(range); }, part_);
        arrived_ += piece.body_length();
    } else {
        piece.body = std::move(piece_);
    }
    const auto before = outgoing_.sent();
    const auto allowed = budget(piece.body_length());
    const auto io = outgoing_.begin(*transport_, {}, std::move(piece), true, allowed);
    const auto moved_now = outgoing_.sent() - before;
    if (io != Io::ready || !outgoing_.finished()) rate_.begin(moved());
    return sent(io, allowed, moved_now);
}

// Nothing is expected of the peer any more but that it leaves.
void Connection::watch_peer()
{
    if (peer_watched_) return;
    peer_watched_ = true;
    descriptor_.async_wait(
        asio::posix::descriptor_base::wait_read,
        [hold = Hold{this}](boost::system::error_code error) {
            hold->peer_watched_ = false;
            if (!error && hold->in_pieces()) hold->hear_peer();
        }
    );
}

void Connection::hear_peer()
{
    auto& scratch = loop_.buffers().discard;
    scratch.resize(discard_buffer);
    const auto got = transport_->receive(std::as_writable_bytes(std::span{scratch}));
    if (got.next == Io::ended || got.next == Io::failed) {
        close();
    } else {
        watch_peer();
    }
}

}  // namespace entrepot::http
