#pragma once

#include "core/asio.hpp"
#include "core/error.hpp"
#include "core/task_group.hpp"
#include "swarm/net/local_binding.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace entrepot {

// The sockets that wait for nodes. Used on one loop; outlives the coroutines that accept() has started.
class PeerListener {
public:
    using Tcp = asio::ip::tcp;

    explicit PeerListener(asio::any_io_executor loop) : loop_{std::move(loop)} {}

    // On all addresses of `binding`, with one port; 0: the kernel's choice. unavailable.
    Result<> open(const LocalBinding& binding, std::uint16_t port);
    std::uint16_t port() const noexcept { return port_; }
    // Hands over what connects, until close(). Waits a little where there are no descriptors.
    void accept(TaskGroup& tasks, const std::function<void(Tcp::socket)>& take);
    void close();

private:
    static asio::awaitable<void> accept_on(Tcp::acceptor& acceptor, std::function<void(Tcp::socket)> take);

    asio::any_io_executor loop_;
    std::vector<std::unique_ptr<Tcp::acceptor>> acceptors_;
    std::uint16_t port_ = 0;
};

}  // namespace entrepot
