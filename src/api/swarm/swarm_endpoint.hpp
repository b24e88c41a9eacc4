#pragma once

#include "access/policy.hpp"
#include "api/oci/gate.hpp"
#include "api/oci/oci_audit.hpp"
#include "api/swarm/bundle_bodies.hpp"
#include "core/clock.hpp"
#include "delivery/image_bundles.hpp"
#include "delivery/node_desk.hpp"
#include "delivery/swarm_secrets.hpp"
#include "delivery/swarm_tickets.hpp"
#include "http/message.hpp"
#include "ports/audit_trail.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace entrepot {

// Where nodes open control streams. An empty host: where they reached this surface.
struct ControlAddress {
    std::string host;
    std::uint16_t port = 0;
};

// /swarm/v1: what nodes ask by HTTP (docs/formats/swarm-http.md): their first certificates, and images. Safe from any
// loop.
class SwarmEndpoint final : public Handler {
public:
    static constexpr std::size_t largest_body = std::size_t{64} * 1024;

    // All of it outlives this.
    struct Parts {
        Gate& gate;
        const AccessPolicy& policy;
        NodeDesk& desk;
        ImageBundles& bundles;
        SwarmTickets& tickets;
        const SwarmSecrets& secrets;
        OciAudit& audit;
        AuditTrail& trail;
        const Clock& clock;
    };
    SwarmEndpoint(Parts parts, ControlAddress control) : parts_{parts}, control_{std::move(control)} {}

    std::optional<Response> peek(const Request& request) noexcept override;
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

private:
    asio::awaitable<Response> route(const Request& request, ByteSource& body);
    Task<Response> admit(const Request& request, ByteSource& body);
    Task<Response> whereabouts(std::string id);
    boost::json::object control_json() const;
    Response certified(const NodeCertificate& certificate) const;
    asio::awaitable<Response> image(const Request& request, std::string_view path);
    Task<Response> bundle(const Request& request, std::string name, std::string digest);
    Task<std::string> ticket(const Request& request, std::int64_t tenant_id, ImageBundlePtr bundle);

    const Parts parts_;
    const ControlAddress control_;
    BundleBodies bodies_;
};

}  // namespace entrepot
