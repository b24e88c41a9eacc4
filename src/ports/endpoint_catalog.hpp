#pragma once

#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/actor.hpp"
#include "ports/list_query.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// How much a registry elsewhere may be asked of by all instances' tasks and pulls; 0: as much as goes.
struct EndpointLimits {
    std::int64_t bytes_per_second = 0;  // by each instance
    std::int32_t requests_at_once = 0;  // by each instance
};

// Another registry, as Harbor's "registry" has it: where artifacts are replicated from and to, or cached from.
struct RegistryEndpoint {
    std::int64_t id = 0;
    std::string name;  // unique, letters' case and all
    std::string description;
    std::string type;             // of the adapter: "docker-registry", "harbor", "docker-hub", "entrepot", "aws-ecr" …
    std::string url;              // http(s)://host[:port][/path]
    std::string credential_type;  // "basic", "oauth", "secret"; empty: nobody in particular
    std::string access_key;
    std::string access_secret;    // sealed, or empty
    bool insecure = false;        // any certificate
    std::string ca_certificate;   // PEM; empty: the system's authorities
    std::string certificate_pin;  // "sha256:<hex>" of the leaf's DER; empty: any that is trusted
    std::string token_host;       // of the log-in, where it is not that of `url`; credentials go to these two alone
    EndpointLimits limits{};
    std::int64_t tenant_id = 0;      // 0: the platform's; a tenant's may not lead into private networks
    std::string status = "unknown";  // "healthy", "unhealthy", "unknown": read only
    std::string status_detail{};     // read only
    Micros checked_at = 0;           // read only
    Micros created_at = 0;
    Micros updated_at = 0;
    std::int64_t version = 0;  // grows with each change, so that open connections know: read only
};

// One look at an endpoint whose outcome differed from the one before.
struct EndpointHealth {
    Micros at = 0;
    std::string status;
    std::string detail;
};

// Each method is one transaction; changes are events too and durable when acknowledged. unavailable, storage_full.
class EndpointCatalog {
public:
    virtual ~EndpointCatalog() = default;

    // Fields: id, name, url, type, status, tenant_id, check_time, creation_time, update_time. bad_request.
    virtual Task<ListPage<RegistryEndpoint>> list(ListQuery query) = 0;
    virtual Task<RegistryEndpoint> find(std::int64_t id) = 0;  // not_found
    // conflict: the name; not_found: its tenant.
    virtual Task<RegistryEndpoint> create(RegistryEndpoint endpoint, Actor actor) = 0;
    // All but what is read only, its type and its tenant. not_found, conflict.
    virtual Task<RegistryEndpoint> change(RegistryEndpoint endpoint, Actor actor) = 0;
    virtual Task<>
    remove(std::int64_t id, Actor actor) = 0;  // not_found; precondition_failed: a policy or a project uses it

    // How it was found; the history grows only when the status or its detail differ. Keeps the newest 200. Nothing
    // happens without the endpoint.
    virtual Task<> note_health(std::int64_t id, EndpointHealth health) = 0;
    virtual Task<std::vector<EndpointHealth>> health(std::int64_t id) = 0;  // the newest first; not_found
};

// What sealed secrets of endpoints are bound to (SecretBox).
inline constexpr std::string_view endpoint_secret_context = "registry access_secret";

}  // namespace entrepot
