#include "swarm/net/round_trip.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>

// The kernel's own header, whose structure has more than the C library's. Both can't be in one file, and Asio has that.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace entrepot {

std::optional<std::chrono::microseconds> shortest_round_trip(int socket) noexcept
{
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
    constexpr auto known = offsetof(tcp_info, tcpi_min_rtt) + sizeof info.tcpi_min_rtt;
    constexpr auto never_measured = std::numeric_limits<std::uint32_t>::max();
    if (size < known || info.tcpi_min_rtt == never_measured) return std::nullopt;
    return std::chrono::microseconds{info.tcpi_min_rtt};
}

}  // namespace entrepot
