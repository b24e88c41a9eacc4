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
    CO_TRY(auto site, co_await opened(endpoint_id, std::nullopt));
    co_return std::shared_ptr<CopySite>{std::move(site)};
}

Task<std::shared_ptr<CopySite>> EndpointUpstreams::open_as_home(std::int64_t endpoint_id, HomeClaim claim)
{
    CO_TRY(auto site, co_await opened(endpoint_id, std::move(claim)));
    co_return std::shared_ptr<CopySite>{std::move(site)};
}

Task<> EndpointUpstreams::announce(std::int64_t endpoint_id, std::string project, HomeClaim claim)
{
    CO_TRY(const auto site, co_await opened(endpoint_id, std::move(claim)));
    co_return co_await site->announce(std::move(project));
}

Task<> EndpointUpstreams::dismiss(std::int64_t endpoint_id, std::string project, HomeClaim claim)
{
    CO_TRY(const auto site, co_await opened(endpoint_id, std::move(claim)));
    co_return co_await site->dismiss(std::move(project));
}

Task<std::shared_ptr<RegistrySite>> EndpointUpstreams::opened(std::int64_t endpoint_id, std::optional<HomeClaim> claim)
{
    auto endpoint = co_await catalog_.find(endpoint_id);
    const std::lock_guard lock{mutex_};
    if (!endpoint) {
        if (endpoint.error().code() == Errc::not_found) {
            std::erase_if(kept_, [endpoint_id](const auto& kept) { return kept.first.endpoint_id == endpoint_id; });
        }
        co_return std::unexpected{std::move(endpoint).error()};
    }
    const Key key{endpoint_id, claim ? claim->epoch : 0, claim ? claim->home : std::string{}};
    const auto known = kept_.find(key);
    if (known != kept_.end() && known->second.version == endpoint->version) co_return known->second.site;
    if (!endpoint->access_secret.empty()) {
        CO_TRY(endpoint->access_secret, secrets_.open(endpoint->access_secret, endpoint_secret_context));
    }
    const auto version = endpoint->version;
    CO_TRY(
        auto site,
        RegistrySite::create({.endpoint = *std::move(endpoint), .rules = rules_, .claim = std::move(claim)}, clock_)
    );
    kept_.insert_or_assign(key, Kept{version, site});
    co_return site;
}

Task<std::shared_ptr<CopySite>> EndpointUpstreams::open(RegistryEndpoint endpoint)
{
    CO_TRY(auto site, RegistrySite::create({.endpoint = std::move(endpoint), .rules = rules_}, clock_));
    co_return site;
}

}  // namespace entrepot
