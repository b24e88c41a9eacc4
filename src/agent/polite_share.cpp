#include "agent/polite_share.hpp"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

namespace entrepot {
namespace {

std::string text_of(const sockaddr& address)
{
    const socklen_t size = address.sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    char text[INET6_ADDRSTRLEN + 32] = {};
    if (::getnameinfo(&address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) return {};
    return text;
}

std::string interface_with(const std::string& address)
{
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, ::freeifaddrs};
    for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
        if (entry->ifa_addr == nullptr) continue;
        const auto family = entry->ifa_addr->sa_family;
        if ((family == AF_INET || family == AF_INET6) && text_of(*entry->ifa_addr) == address) return entry->ifa_name;
    }
    return {};
}

// Name, destination, gateway and so on; the default route's destination is zero.
std::string interface_of_default_route(const std::string& file)
{
    std::ifstream stream{file};
    std::string line;
    std::getline(stream, line);  // the heading
    while (std::getline(stream, line)) {
        std::istringstream words{line};
        std::string name;
        std::string destination;
        if (words >> name >> destination && destination == "00000000") return name;
    }
    return {};
}

std::optional<std::uint64_t> number_in(const std::string& file)
{
    std::ifstream stream{file};
    std::uint64_t number = 0;
    if (!(stream >> number)) return std::nullopt;
    return number;
}

}  // namespace

PoliteShare::PoliteShare(std::uint64_t link) noexcept : link_{link}, up_{link / 2}, down_{link / 2} {}

void PoliteShare::look(LinkBytes all, LinkBytes own, Time now) noexcept
{
    // What was counted a moment later on one side is no traffic of others.
    const LinkBytes others{.in = all.in - std::min(all.in, own.in), .out = all.out - std::min(all.out, own.out)};
    const auto before = others_;
    const std::chrono::duration<double> past = now - looked_;
    others_ = others;
    looked_ = now;
    if (!before || past.count() <= 0) return;
    const auto moved = [](std::uint64_t from, std::uint64_t to) { return to > from ? to - from : 0; };
    up_ = next(up_, moved(before->out, others.out), past.count());
    down_ = next(down_, moved(before->in, others.in), past.count());
}

std::uint64_t PoliteShare::next(std::uint64_t share, std::uint64_t others, double seconds) const noexcept
{
    const auto rate = static_cast<double>(others) / seconds;
    const auto left = static_cast<double>(link_) * 0.9 - rate;
    const auto least = static_cast<double>(link_) * 0.05;
    const auto most = static_cast<double>(share) + static_cast<double>(link_) * 0.1;
    return std::max<std::uint64_t>(static_cast<std::uint64_t>(std::max(least, std::min(left, most))), 1);
}

std::string interface_for(const std::string& binding, const LinkFiles& files)
{
    if (binding.empty()) return interface_of_default_route(files.routes);
    const bool plain = binding.find('/') == std::string::npos && binding != "." && binding != "..";
    if (plain && ::access((files.interfaces + "/" + binding + "/statistics").c_str(), R_OK) == 0) return binding;
    return interface_with(binding);
}

std::optional<LinkBytes> bytes_of_interface(const std::string& name, const LinkFiles& files)
{
    if (name.empty()) return std::nullopt;
    const auto folder = files.interfaces + "/" + name + "/statistics/";
    const auto in = number_in(folder + "rx_bytes");
    const auto out = number_in(folder + "tx_bytes");
    if (!in || !out) return std::nullopt;
    return LinkBytes{.in = *in, .out = *out};
}

}  // namespace entrepot
