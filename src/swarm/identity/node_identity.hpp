#pragma once

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/swarm_random.hpp"
#include "swarm/wire/wire_values.hpp"

#include <string>
#include <string_view>

namespace entrepot {

// Who a node is, as a certificate of the registry's says (docs/formats/swarm-identity.md).
struct NodeIdentity {
    NodeId id{};         // SHA-256 of the certificate's SubjectPublicKeyInfo, DER
    std::string name{};  // is_node_name()
    std::string zone{};  // is_zone_name(); empty: not known
    bool seed = false;   // the registry, or what stands in for it: needs no ticket

    bool operator==(const NodeIdentity&) const noexcept = default;
};

// 1 to 253 letters, digits, '.', '-' and '_' of ASCII, a letter or digit first and last: what Kubernetes calls nodes,
// and hosts' names.
bool is_node_name(std::string_view text) noexcept;
// At most WireLimits::zone bytes of UTF-8 without control characters. Empty: not known.
bool is_zone_name(std::string_view text) noexcept;

// When a certificate that is valid from `begins` to `ends` is to be renewed: at two thirds of its life, give or take a
// twentieth of it, so that nodes that came together do not come back together. There is a third of its life left for
// trying again.
Micros renewal_time(Micros begins, Micros ends, SwarmRandom& random) noexcept;

}  // namespace entrepot
