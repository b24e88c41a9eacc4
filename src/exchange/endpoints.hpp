#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/outbound_http.hpp"
#include "ports/secret_box.hpp"
#include "ports/upstreams.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// What somebody enters of an endpoint; what is not set stays, or is empty.
struct EndpointInput {
    std::optional<std::string> name{};
    std::optional<std::string> description{};
    std::optional<std::string> type{};  // of a new one alone
    std::optional<std::string> url{};
    std::optional<std::string> credential_type{};
    std::optional<std::string> access_key{};
    std::optional<std::string> access_secret{};  // in clear
    std::optional<bool> insecure{};
    std::optional<std::string> ca_certificate{};
    std::optional<std::string> certificate_pin{};
    std::optional<std::string> token_host{};
    std::optional<std::int64_t> bytes_per_second{};
    std::optional<std::int64_t> requests_at_once{};
    std::optional<std::int64_t> tenant_id{};  // of a new one alone
};

// Registries elsewhere as people manage them: the platform's those who may there, a tenant's (tenant_id) its admins as
// well. Who may not see one is told not_found. Secrets are sealed as they come and never leave. Safe from any loop.
class Endpoints {
public:
    struct Parts {
        EndpointCatalog& catalog;
        Upstreams& upstreams;
        OutboundHttp& outbound;
        SecretBox& secrets;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit Endpoints(const Parts& parts) : parts_{parts} {}

    Task<ListPage<RegistryEndpoint>> list(Caller caller, ListQuery query);
    Task<RegistryEndpoint> find(Caller caller, std::int64_t id);
    // bad_request says what is wrong with it, also where its address may not be asked. It is looked at once.
    Task<RegistryEndpoint> create(Caller caller, EndpointInput input);
    struct Changed {
        RegistryEndpoint before;
        RegistryEndpoint after;
    };
    // A saved secret never follows to another host: bad_request where it is not given again.
    Task<Changed> change(Caller caller, std::int64_t id, EndpointInput input);
    Task<RegistryEndpoint> remove(Caller caller, std::int64_t id);  // precondition_failed: it is in use

    // Tries out what was entered, with what is saved of `id` for the rest; nothing is kept. bad_request says what the
    // other side or the way there is lacking.
    Task<> ping(Caller caller, std::optional<std::int64_t> id, EndpointInput input);
    Task<AdapterInfo> info(Caller caller, std::int64_t id);
    Task<std::vector<EndpointHealth>> health(Caller caller, std::int64_t id);
    Result<std::vector<AdapterInfo>> adapters(const Caller& caller) const;

    // Looks at those that nobody has looked at for a while. A chore of every instance.
    Task<> look_at_due();
    // How they stand, as of the last look; at most `most`.
    Task<std::vector<RegistryEndpoint>> all(std::int64_t most);

private:
    Result<> require_on(const Caller& caller, std::int64_t tenant_id, std::string_view action) const;
    Task<RegistryEndpoint> require_endpoint(Caller caller, std::int64_t id, std::string_view action);
    Result<> apply(RegistryEndpoint& endpoint, EndpointInput& input) const;
    Result<> check_type(const std::string& type) const;
    Task<> check_address(RegistryEndpoint endpoint);
    Task<RegistryEndpoint> looked_at(RegistryEndpoint endpoint);
    Result<RegistryEndpoint> in_clear(RegistryEndpoint endpoint) const;
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, parts_.clock.now()}; }

    Parts parts_;
};

}  // namespace entrepot
