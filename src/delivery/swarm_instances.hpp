#pragma once

#include "core/task.hpp"
#include "ports/node_catalog.hpp"
#include "swarm/wire/wire_values.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// "192.0.2.1:7400", "[2001:db8::1]:7400", as instances stand in the catalog; nullopt: it is none of these.
std::string instance_text(const PeerEndpoint& endpoint);
std::optional<PeerEndpoint> parse_instance(std::string_view text);

// Which instances of the registry track swarms: this one tells the others that it lives, and hears of them, through the
// catalog that they share. meet() and part() one at a time; living() from any thread.
class SwarmInstances {
public:
    // Between two calls of meet().
    static constexpr std::chrono::seconds beat{5};
    // Who has not been heard of for three of them is dead.
    static constexpr Micros lifetime = Micros{3} * std::chrono::microseconds{beat}.count();

    // `self`: where nodes find this instance, and no other one. `told` hears of all that live, this one among them.
    using Told = std::function<void(std::vector<PeerEndpoint> living)>;
    SwarmInstances(NodeCatalog& nodes, const PeerEndpoint& self, Told told)
        : nodes_{nodes}, self_{instance_text(self)}, told_{std::move(told)}
    {
    }

    Task<> meet();  // NodeCatalog's; those that were known are, then
    Task<> part();
    // As of the last meet().
    std::size_t living() const noexcept { return living_; }

private:
    NodeCatalog& nodes_;
    const std::string self_;
    const Told told_;
    std::atomic<std::size_t> living_ = 0;
};

}  // namespace entrepot
