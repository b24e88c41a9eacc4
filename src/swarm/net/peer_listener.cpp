#include "swarm/net/peer_listener.hpp"

#include "core/pause.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace entrepot {

namespace {

using namespace std::chrono_literals;
using boost::system::error_code;

constexpr int backlog = 1024;
// No descriptors or no memory: trying again at once would only burn time.
constexpr auto accept_pause = 100ms;

}  // namespace

Result<> PeerListener::open(const LocalBinding& binding, std::uint16_t port)
{
    error_code error;
    port_ = port;
    for (const auto& address : binding.addresses()) {
        const Tcp::endpoint endpoint{address, port_};
        auto acceptor = std::make_unique<Tcp::acceptor>(loop_);
        acceptor->open(endpoint.protocol(), error);
        if (!error) acceptor->set_option(Tcp::acceptor::reuse_address{true}, error);
        if (!error && address.is_v6()) acceptor->set_option(asio::ip::v6_only{!address.is_unspecified()}, error);
        if (!error) binding.restrict(acceptor->native_handle());
        if (!error) acceptor->bind(endpoint, error);
        if (!error) acceptor->listen(backlog, error);
        if (error) return fail(Errc::unavailable, "can't listen for nodes on " + address.to_string(), error.message());
        port_ = acceptor->local_endpoint(error).port();
        acceptors_.push_back(std::move(acceptor));
    }
    return {};
}

void PeerListener::accept(TaskGroup& tasks, const std::function<void(Tcp::socket)>& take)
{
    for (const auto& acceptor : acceptors_) tasks.spawn(loop_, accept_on(*acceptor, take));
}

void PeerListener::close()
{
    error_code unimportant;
    for (const auto& acceptor : acceptors_) acceptor->close(unimportant);
}

asio::awaitable<void> PeerListener::accept_on(Tcp::acceptor& acceptor, std::function<void(Tcp::socket)> take)
{
    while (acceptor.is_open()) {
        error_code error;
        auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!acceptor.is_open()) co_return;
        if (error)
            co_await pause(accept_pause);
        else
            take(std::move(socket));
    }
}

}  // namespace entrepot
