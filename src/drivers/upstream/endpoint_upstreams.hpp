#pragma once

#include "client/outbound_rules.hpp"
#include "core/clock.hpp"
#include "drivers/upstream/registry_site.hpp"
#include "ports/endpoint_catalog.hpp"
#include "ports/secret_box.hpp"
#include "ports/upstreams.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace entrepot {

// Upstreams over HTTP, under the operator's rules for addresses. Sites that are open are kept, one for each endpoint,
// until it changes or is gone. Goes before the loops it is used on.
class EndpointUpstreams final : public Upstreams, public HomeSites {
public:
    EndpointUpstreams(EndpointCatalog& catalog, const SecretBox& secrets, OutboundRules rules, const Clock& clock);

    const std::vector<AdapterInfo>& adapters() const override { return adapters_; }
    Task<std::shared_ptr<CopySite>> open(std::int64_t endpoint_id) override;
    Task<std::shared_ptr<CopySite>> open(RegistryEndpoint endpoint) override;

    // Connections are shared by all projects of one home, epoch and endpoint.
    Task<std::shared_ptr<CopySite>> open_as_home(std::int64_t endpoint_id, HomeClaim claim) override;
    Task<> announce(std::int64_t endpoint_id, std::string project, HomeClaim claim) override;
    Task<> dismiss(std::int64_t endpoint_id, std::string project, HomeClaim claim) override;

private:
    struct Kept {
        std::int64_t version = 0;
        std::shared_ptr<RegistrySite> site;
    };
    struct Key {
        std::int64_t endpoint_id = 0;
        std::int64_t epoch = 0;  // 0: as nobody's home
        std::string home{};
        auto operator<=>(const Key&) const = default;
    };
    Task<std::shared_ptr<RegistrySite>> opened(std::int64_t endpoint_id, std::optional<HomeClaim> claim);

    EndpointCatalog& catalog_;
    const SecretBox& secrets_;
    const std::shared_ptr<const OutboundRules> rules_;
    const Clock& clock_;
    const std::vector<AdapterInfo> adapters_;
    std::mutex mutex_;
    std::map<Key, Kept> kept_;
};

}  // namespace entrepot
