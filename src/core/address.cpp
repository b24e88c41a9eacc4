#include "core/address.hpp"

#include "core/ascii.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace entrepot {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::string_view without_port(std::string_view text)
{
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        return close == std::string_view::npos ? text : text.substr(1, close - 1);
    }
    const auto colon = text.find(':');
    return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos
               ? text.substr(0, colon)
               : text;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text)
{
    const std::string host{without_port(text)};
    Address address;
    if (::inet_pton(AF_INET6, host.c_str(), address.bytes_.data()) == 1) return address;
    std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes_.begin());
    if (::inet_pton(AF_INET, host.c_str(), address.bytes_.data() + mapped_prefix.size()) == 1) return address;
    return std::nullopt;
}

Address Address::of(const sockaddr& peer) noexcept
{
    Address address;
    if (peer.sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, &peer, sizeof v6);
        std::memcpy(address.bytes_.data(), &v6.sin6_addr, address.bytes_.size());
    } else if (peer.sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, &peer, sizeof v4);
        std::copy(mapped_prefix.begin(), mapped_prefix.end(), address.bytes_.begin());
        std::memcpy(address.bytes_.data() + mapped_prefix.size(), &v4.sin_addr, 4);
    }
    return address;
}

bool Address::is_v4() const noexcept
{
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

std::string Address::text() const
{
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = is_v4();
    const void* from = bytes_.data() + (v4 ? mapped_prefix.size() : 0);
    ::inet_ntop(v4 ? AF_INET : AF_INET6, from, text.data(), text.size());
    return text.data();
}

CidrList::CidrList(const std::vector<std::string>& networks)
{
    for (const std::string_view text : networks) {
        const auto slash = std::min(text.find('/'), text.size());
        const auto address = Address::parse(text.substr(0, slash));
        if (!address) throw std::runtime_error{"not a network: " + std::string{text}};
        const unsigned most = address->is_v4() ? 32 : 128;
        const auto prefix = slash < text.size() ? parse_decimal(text.substr(slash + 1)) : most;
        if (!prefix || *prefix > most) throw std::runtime_error{"not a network: " + std::string{text}};
        networks_.push_back({*address, static_cast<unsigned>(*prefix) + (128 - most)});
    }
}

bool CidrList::contains(const Address& address) const noexcept
{
    return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
        const auto& left = network.address.bytes();
        const auto& right = address.bytes();
        const auto whole = network.prefix / 8;
        if (!std::equal(left.begin(), left.begin() + whole, right.begin())) return false;
        const auto rest = network.prefix % 8;
        return rest == 0 || ((left[whole] ^ right[whole]) >> (8 - rest)) == 0;
    });
}

}  // namespace entrepot
