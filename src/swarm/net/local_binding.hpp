#pragma once

#include "core/asio.hpp"
#include "core/error.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <vector>

namespace entrepot {

// Which of a machine's addresses and interfaces sockets belong to.
class LocalBinding {
public:
    // A numeric address; the name of an interface, whose addresses count (not those of its link alone); or nothing: all
    // of the machine's. bad_request: neither; unavailable: the machine doesn't say.
    static Result<LocalBinding> of(const std::string& text);

    const std::vector<asio::ip::address>& addresses() const noexcept { return addresses_; }
    // Keeps a socket's traffic on the interface, where one was named and the kernel permits it.
    void restrict(int descriptor) const noexcept;
    // Binds a socket that is about to connect to `peer`. False: there is no address of that family.
    bool bind_for(asio::ip::tcp::socket& socket, const asio::ip::tcp::endpoint& peer) const;

private:
    std::vector<asio::ip::address> addresses_;
    std::string interface_;
    bool any_ = false;
};

}  // namespace entrepot
