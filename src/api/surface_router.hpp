#pragma once

#include "api/management/management_api.hpp"
#include "api/management/session_endpoint.hpp"
#include "api/oci/oci_handler.hpp"
#include "api/operations/operations.hpp"
#include "api/swarm/swarm_endpoint.hpp"
#include "api/token/token_endpoint.hpp"
#include "http/message.hpp"

#include <optional>

namespace entrepot {

// What one listener answers: the surfaces it was given, by the path's first part. Everything else is not found there.
// /healthz and /readyz are on every listener.
class SurfaceRouter final : public Handler {
public:
    struct Surfaces {
        OciHandler* oci = nullptr;            // /v2
        ManagementApi* api = nullptr;         // /api
        SessionEndpoint* sessions = nullptr;  // /c
        TokenEndpoint* token = nullptr;       // /service/token
        SwarmEndpoint* swarm = nullptr;       // /swarm
        bool metrics = false;                 // /metrics
    };
    SurfaceRouter(Surfaces surfaces, OperationsHandler& operations, bool access_log)
        : surfaces_{surfaces}, operations_{operations}, access_log_{access_log}
    {
    }

    std::optional<Response> peek(const Request& request) noexcept override;
    asio::awaitable<Response> handle(const Request& request, ByteSource& body) override;

private:
    std::optional<Response> look(const Request& request) noexcept;
    asio::awaitable<Response> route(const Request& request, ByteSource& body);

    Surfaces surfaces_;
    OperationsHandler& operations_;
    bool access_log_;
};

}  // namespace entrepot
