#include "client/outbound_rules.hpp"

#include "client/http_url.hpp"
#include "core/ascii.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace entrepot {
namespace {

// RFC 6890 and the registries of IANA that it began; the last two are metadata services of clouds.
const CidrList& out_of_reach()
{
    static const CidrList networks{{
        "0.0.0.0/8",        // this network
        "127.0.0.0/8",      // loopback
        "169.254.0.0/16",   // link-local, and most metadata services
        "224.0.0.0/4",      // multicast
        "240.0.0.0/4",      // reserved, and broadcast
        "::/127",           // unspecified, loopback
        "fe80::/10",        // link-local
        "fec0::/10",        // site-local
        "ff00::/8",         // multicast
        "fd00:ec2::254",    // Amazon
        "100.100.100.200",  // Alibaba
    }};
    return networks;
}

const CidrList& private_networks()
{
    static const CidrList networks{{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}};
    return networks;
}

bool starts_with(const Address& address, std::initializer_list<std::uint8_t> prefix)
{
    return std::equal(prefix.begin(), prefix.end(), address.bytes().begin());
}

// The IPv4 address that an IPv6 one carries, for a gateway to take out: NAT64 (RFC 6052), 6to4 (RFC 3056), and the
// IPv4-compatible form (RFC 4291).
std::optional<Address> wrapped_in(const Address& address)
{
    const auto& bytes = address.bytes();
    const auto v4_at = [&](std::size_t at) {
        return Address::parse(
            std::to_string(bytes[at]) + "." + std::to_string(bytes[at + 1]) + "." + std::to_string(bytes[at + 2]) +
            "." + std::to_string(bytes[at + 3])
        );
    };
    if (starts_with(address, {0x00, 0x64, 0xff, 0x9b})) return v4_at(12);
    if (starts_with(address, {0x20, 0x02})) return v4_at(2);
    if (starts_with(address, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) return v4_at(12);
    return std::nullopt;
}

bool is_name(std::string_view text)
{
    return !text.empty() && text.size() <= 253 &&
           std::ranges::all_of(text, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_'; });
}

}  // namespace

Result<OutboundRules> OutboundRules::parse(const std::vector<std::string>& allow)
{
    std::vector<std::string> networks;
    std::vector<std::string> hosts;
    for (const auto& entry : allow) {
        const std::string_view text = entry;
        if (Address::parse(text.substr(0, text.find('/')))) {
            networks.push_back(entry);
        } else if (is_name(text)) {
            hosts.push_back(lowered(text));
        } else {
            return fail(Errc::bad_request, "\"" + entry + "\" is neither an address, a network nor a host's name");
        }
    }
    try {
        return OutboundRules{CidrList{networks}, std::move(hosts)};
    } catch (const std::runtime_error& malformed) {
        return fail(Errc::bad_request, malformed.what());
    }
}

bool OutboundRules::allows(std::string_view host, const Address& address) const
{
    if (networks_.contains(address) || std::ranges::find(hosts_, lowered(host)) != hosts_.end()) return true;
    const auto is_closed = [this](const Address& each) {
        return out_of_reach().contains(each) || (private_closed_ && private_networks().contains(each));
    };
    if (is_closed(address)) return false;
    const auto wrapped = wrapped_in(address);
    return !wrapped || !is_closed(*wrapped);
}

OutboundRules OutboundRules::without_private_networks() const
{
    auto stricter = *this;
    stricter.private_closed_ = true;
    return stricter;
}

Task<> check_outbound(const OutboundRules& rules, std::string url)
{
    CO_TRY(const auto parsed, parse_http_url(url));
    asio::ip::tcp::resolver resolver{co_await asio::this_coro::executor};
    boost::system::error_code error;
    const auto found = co_await resolver.async_resolve(
        parsed.host, std::to_string(parsed.port), asio::redirect_error(asio::use_awaitable, error)
    );
    if (error) co_return Result<>{};
    const bool reachable = std::ranges::any_of(found, [&](const auto& entry) {
        return rules.allows(parsed.host, Address::of(*entry.endpoint().data()));
    });
    if (reachable) co_return Result<>{};
    co_return fail(
        Errc::bad_request,
        parsed.host + " is an address that requests may not go to; the operator can allow it by outbound.allow"
    );
}

}  // namespace entrepot
