#include "swarm/net/local_binding.hpp"

#include "core/file_descriptor.hpp"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace entrepot {
namespace {

namespace ip = asio::ip;

std::optional<ip::address> address_in(const sockaddr& from)
{
    if (from.sa_family == AF_INET)
        return ip::address_v4{ntohl(reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr)};
    if (from.sa_family != AF_INET6) return std::nullopt;
    ip::address_v6::bytes_type bytes{};
    std::copy_n(reinterpret_cast<const sockaddr_in6&>(from).sin6_addr.s6_addr, bytes.size(), bytes.begin());
    const ip::address_v6 address{bytes};
    if (address.is_link_local()) return std::nullopt;
    return address;
}

}  // namespace

Result<LocalBinding> LocalBinding::of(const std::string& text)
{
    LocalBinding made;
    boost::system::error_code error;
    if (text.empty()) {
        made.any_ = true;
        // A socket of IPv6 takes both, where the kernel has it.
        const FileDescriptor probe{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (probe)
            made.addresses_.emplace_back(ip::address_v6::any());
        else
            made.addresses_.emplace_back(ip::address_v4::any());
        return made;
    }
    const auto address = ip::make_address(text, error);
    if (!error) {
        made.any_ = address.is_unspecified();
        made.addresses_.push_back(address);
        return made;
    }
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0)
        return fail(Errc::unavailable, "interfaces can't be listed", std::generic_category().message(errno));
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, ::freeifaddrs};
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (text != entry->ifa_name || entry->ifa_addr == nullptr) continue;
        if (const auto found = address_in(*entry->ifa_addr)) made.addresses_.push_back(*found);
    }
    if (made.addresses_.empty())
        return fail(Errc::bad_request, "neither an address nor an interface with one: " + text);
    made.interface_ = text;
    return made;
}

void LocalBinding::restrict(int descriptor) const noexcept
{
    if (interface_.empty()) return;
    // Not permitted to everybody on older kernels; the address alone will do then.
    ::setsockopt(
        descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface_.c_str(), static_cast<socklen_t>(interface_.size() + 1)
    );
}

bool LocalBinding::bind_for(ip::tcp::socket& socket, const ip::tcp::endpoint& peer) const
{
    restrict(socket.native_handle());
    if (any_) return true;
    for (const auto& address : addresses_) {
        if (address.is_v4() != peer.address().is_v4()) continue;
        boost::system::error_code error;
        socket.bind({address, 0}, error);
        return !error;
    }
    return false;
}

}  // namespace entrepot
