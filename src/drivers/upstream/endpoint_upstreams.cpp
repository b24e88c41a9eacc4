#include "drivers/upstream/endpoint_upstreams.hpp"

#include <utility>

namespace entrepot {
namespace {

std::vector<AdapterInfo> infos()
{
    std::vector<AdapterInfo> found;
    for (const auto& each : all_adapters()) found.push_back(each.info);
    return found;
}

}  // namespace

EndpointUpstreams::EndpointUpstreams(
    EndpointCatalog& catalog, const SecretBox& secrets, OutboundRules rules, const Clock& clock
)
    : catalog_{catalog},
      secrets_{secrets},
      rules_{std::make_shared<const OutboundRules>(std::move(rules))},
      clock_{clock},
      adapters_{infos()}
{
}

Task<std::shared_ptr<CopySite>> EndpointUpstreams::open(std::int64_t endpoint_id)
{
    auto endpoint = co_await catalog_.find(endpoint_id);
    const std::lock_guard lock{mutex_};
    if (!endpoint) {
        if (endpoint.error().code() == Errc::not_found) kept_.erase(endpoint_id);
        co_return std::unexpected{std::move(endpoint).error()};
    }
    const auto known = kept_.find(endpoint_id);
    if (known != kept_.end() && known->second.version == endpoint->version) co_return known->second.site;
    if (!endpoint->access_secret.empty()) {
        CO_TRY(endpoint->access_secret, secrets_.open(endpoint->access_secret, endpoint_secret_context));
    }
    const auto version = endpoint->version;
    CO_TRY(auto site, RegistrySite::create({.endpoint = *std::move(endpoint), .rules = rules_}, clock_));
    kept_.insert_or_assign(endpoint_id, Kept{version, site});
    co_return site;
}

Task<std::shared_ptr<CopySite>> EndpointUpstreams::open(RegistryEndpoint endpoint)
{
    CO_TRY(auto site, RegistrySite::create({.endpoint = std::move(endpoint), .rules = rules_}, clock_));
    co_return site;
}

}  // namespace entrepot
