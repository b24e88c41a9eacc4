#include "swarm/net/peer_handshake.hpp"

#include "core/bytes.hpp"
#include "core/log.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace entrepot {

namespace {

// Sends what TLS has made.
Task<> push(PeerStream& stream, PeerTls& tls)
{
    auto& output = tls.output();
    while (!output.empty()) {
        CO_TRY(const auto count, stream.write(as_bytes(output)));
        if (count)
            output.erase(0, *count);
        else
            co_await stream.writable();
    }
    co_return Result<>{};
}

}  // namespace

Task<> reach(asio::ip::tcp::socket& socket, asio::ip::tcp::endpoint peer, const LocalBinding& binding)
{
    boost::system::error_code error;
    socket.open(peer.protocol(), error);
    if (error) co_return fail(Errc::unavailable, "no socket can be made", error.message());
    if (!binding.bind_for(socket, peer))
        co_return fail(Errc::unavailable, "there is no way out to " + peer.address().to_string());
    co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return fail(Errc::unavailable, "can't connect to " + peer.address().to_string(), error.message());
    co_return Result<>{};
}

Task<> shake_hands(PeerStream& stream, PeerTls& tls, std::span<std::byte> scratch)
{
    while (true) {
        const auto done = tls.shake_hands();
        if (done && *done) co_return Result<>{};
        auto pushing = push(stream, tls);
        const auto pushed = co_await std::move(pushing);
        if (!done) co_return std::unexpected{done.error()};
        CO_CHECK(pushed);
        CO_TRY(const auto count, stream.read(scratch));
        if (count)
            tls.feed(scratch.first(*count));
        else
            co_await stream.readable();
    }
}

void log_refusal(const Address& who, const Error& why)
{
    if (why.code() == Errc::connection_lost) return;
    log::debug("a node is not let in", {{"address", who.text()}, {"why", why.message()}, {"detail", why.detail()}});
}

}  // namespace entrepot
