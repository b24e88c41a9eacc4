#include "http/body_reader.hpp"

#include <boost/asio/redirect_error.hpp>

namespace entrepot::http {
namespace {

constexpr std::size_t slice = 1024 * 1024;

}  // namespace

Task<std::size_t> BodyReader::read(std::span<std::byte> into)
{
    auto& self = connection_;
    if (into.empty()) co_return 0;
    CO_CHECK(co_await invite());
    if (unbroken_ >= slice) {
        unbroken_ = 0;
        co_await asio::post(self.loop_.context(), asio::use_awaitable);
    }
    while (true) {
        if (self.phase_ == Connection::Phase::closed)
            co_return fail(Errc::connection_lost, "the connection was closed");
        const auto before = self.body_.received();
        const auto taken = self.body_.take(into, self.buffer_, *self.transport_);
        self.loop_.counters().bytes_in.add(self.body_.received() - before);
        if (taken.bytes > 0) {
            unbroken_ += taken.bytes;
            co_return taken.bytes;
        }
        if (!taken.blocked) co_return outcome();
        CO_CHECK(co_await wait(true));
    }
}

Result<std::size_t> BodyReader::outcome() const
{
    switch (connection_.body_.state()) {
        case IncomingBody::State::malformed: return fail(Errc::bad_request, "malformed chunked body");
        case IncomingBody::State::lost: return fail(Errc::connection_lost, "the body ended too early");
        case IncomingBody::State::open:
        case IncomingBody::State::complete: break;
    }
    return 0;
}

// Sends 100 (Continue) where the client waits for it (RFC 9110 section 10.1.1).
Task<> BodyReader::invite()
{
    auto& self = connection_;
    if (!self.framing_.expects_continue || self.continued_) co_return Result<>{};
    self.continued_ = true;
    if (self.body_.state() != IncomingBody::State::open || !self.body_.untouched() || !self.buffer_.empty()) {
        co_return Result<>{};
    }
    std::string_view left = "HTTP/1.1 100 Continue\r\n\r\n";
    while (!left.empty() && self.phase_ != Connection::Phase::closed) {
        const iovec part{const_cast<char*>(left.data()), left.size()};
        const auto done = self.transport_->send({&part, 1}, false);
        if (done.next == Io::failed) co_return fail(Errc::connection_lost, "the connection was closed");
        left.remove_prefix(done.bytes);
        if (left.empty()) break;
        CO_CHECK(co_await wait(false));
    }
    co_return Result<>{};
}

Task<> BodyReader::wait(bool for_read)
{
    auto& self = connection_;
    unbroken_ = 0;
    self.watch_rate();
    const auto what = for_read ? asio::posix::descriptor_base::wait_read : asio::posix::descriptor_base::wait_write;
    boost::system::error_code ignored;
    co_await self.descriptor_.async_wait(what, asio::redirect_error(asio::use_awaitable, ignored));
    self.rate_watched_ = false;
    self.rate_.resume(self.loop_.wheel().now());
    if (!std::exchange(self.timed_out_, false)) co_return Result<>{};
    self.keep_alive_ = false;
    co_return fail(Errc::request_timeout, "the body comes too slowly");
}

}  // namespace entrepot::http
