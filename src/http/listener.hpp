#pragma once

#include "http/loop.hpp"

#include <memory>
#include <vector>

namespace entrepot::http {

// Opens the sockets of one listener, `loops` of them for each of its addresses, and sets the endpoint's port. The
// result holds descriptors, those of a loop together. Throws std::system_error, or std::runtime_error for an address
// that is neither numeric nor an interface with one.
std::vector<std::vector<int>> open_listener(Endpoint& endpoint, unsigned loops);

// Accepts connections on one loop from one socket, which it owns. Lives and dies on the loop's thread, or while that
// does not run.
class Acceptor {
public:
    Acceptor(Loop& loop, Endpoint& endpoint, int descriptor);

    void start();
    // Takes what still waits in the queue, then closes.
    void close();

private:
    void await_connection();
    void accept_waiting();
    void admit(int descriptor, const Address& peer);
    void pause();

    Loop& loop_;
    Endpoint& endpoint_;
    LoopDescriptor descriptor_;
    asio::steady_timer timer_;
};

}  // namespace entrepot::http
