#pragma once

#include "core/address.hpp"
#include "core/error.hpp"
#include "core/task.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Where requests may go whose address somebody else than the operator has chosen. This machine, its links and the
// metadata services of clouds are out of reach (loopback, link-local, unspecified, multicast and reserved addresses,
// also where IPv6 only wraps them), unless the operator lists their network or the host's name. Immutable.
class OutboundRules {
public:
    // Each an address, a network such as 127.0.0.0/8, or a host's name. bad_request.
    static Result<OutboundRules> parse(const std::vector<std::string>& allow);

    bool allows(std::string_view host, const Address& address) const;

    // The same, with private networks closed besides (RFC 1918, RFC 4193, RFC 6598), but for those that are listed.
    OutboundRules without_private_networks() const;

private:
    OutboundRules(CidrList networks, std::vector<std::string> hosts)
        : networks_{std::move(networks)}, hosts_{std::move(hosts)}
    {
    }

    CidrList networks_;
    std::vector<std::string> hosts_;
    bool private_closed_ = false;
};

// Whether the rules would let the URL be asked now: bad_request when it is none, or leads only to where they don't
// allow. A name that can't be looked up passes, since it is judged again when it is connected to.
Task<> check_outbound(const OutboundRules& rules, std::string url);

}  // namespace entrepot
