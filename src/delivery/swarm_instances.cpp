#include "delivery/swarm_instances.hpp"

#include "core/address.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace entrepot {

std::string instance_text(const PeerEndpoint& endpoint)
{
    const auto address = Address::of_bytes(endpoint.address);
    const auto host = address.is_v4() ? address.text() : "[" + address.text() + "]";
    return host + ":" + std::to_string(endpoint.port);
}

std::optional<PeerEndpoint> parse_instance(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto address = Address::parse(text.substr(0, colon));
    const auto* const end = text.data() + text.size();
    std::uint16_t port = 0;
    const auto read = std::from_chars(text.data() + colon + 1, end, port);
    if (!address || read.ec != std::errc{} || read.ptr != end || port == 0) return std::nullopt;
    return PeerEndpoint{.address = address->bytes(), .port = port};
}

Task<> SwarmInstances::meet()
{
    CO_TRY(const auto met, co_await nodes_.meet(self_, lifetime));
    std::vector<PeerEndpoint> living;
    for (const auto& text : met) {
        // What a later version may write there is for its like.
        if (const auto endpoint = parse_instance(text)) living.push_back(*endpoint);
    }
    living_ = living.size();
    told_(std::move(living));
    co_return Result<>{};
}

Task<> SwarmInstances::part()
{
    living_ = 0;
    co_return co_await nodes_.part(self_);
}

}  // namespace entrepot
