#pragma once

#include "ports/upstreams.hpp"
#include "tests/support/unwritten_site.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace entrepot {

// A registry elsewhere that lets people in, or says why not, and has nothing.
class FakeSite final : public UnwrittenSite {
public:
    explicit FakeSite(std::optional<Error> trouble) : trouble_{std::move(trouble)} {}

    Task<> ping() override
    {
        if (trouble_) co_return std::unexpected{*trouble_};
        co_return Result<>{};
    }
    Micros rests_until() const override { return 0; }
    Task<ManifestHead> look(RepositoryName, Reference) override { co_return nothing(); }
    Task<CopiedManifest> manifest(RepositoryName, Reference) override { co_return nothing(); }
    Task<BlobStream> blob(RepositoryName, Digest, std::uint64_t) override { co_return nothing(); }
    Task<ReferrerPage> referrers(RepositoryName, Digest, PageRequest) override { co_return nothing(); }
    Task<Listing> repositories(PageRequest) override { co_return nothing(); }
    Task<Listing> tags(RepositoryName, PageRequest) override { co_return nothing(); }

private:
    std::optional<Error> trouble_;
};

// Registries by their addresses. "https://internal…" is where requests may not go.
class FakeUpstreams final : public Upstreams {
public:
    explicit FakeUpstreams(EndpointCatalog& catalog) : catalog_{catalog} {}

    const std::vector<AdapterInfo>& adapters() const override { return adapters_; }
    Task<std::shared_ptr<CopySite>> open(std::int64_t endpoint_id) override
    {
        CO_TRY(auto endpoint, co_await catalog_.find(endpoint_id));
        co_return co_await open(std::move(endpoint));
    }
    Task<std::shared_ptr<CopySite>> open(RegistryEndpoint endpoint) override
    {
        const std::lock_guard lock{mutex_};
        opened_.push_back(endpoint);
        if (endpoint.url.starts_with("https://internal")) {
            co_return fail(Errc::denied, "requests may not go to this address");
        }
        const auto found = troubles_.find(endpoint.url);
        std::shared_ptr<CopySite> site =
            std::make_shared<FakeSite>(found == troubles_.end() ? std::nullopt : std::optional{found->second});
        co_return site;
    }

    // What that address answers to ping() from now on.
    void breaks(const std::string& url, Error trouble)
    {
        const std::lock_guard lock{mutex_};
        troubles_.insert_or_assign(url, std::move(trouble));
    }
    void works(const std::string& url)
    {
        const std::lock_guard lock{mutex_};
        troubles_.erase(url);
    }
    // In order, as they were given.
    std::vector<RegistryEndpoint> opened() const
    {
        const std::lock_guard lock{mutex_};
        return opened_;
    }

private:
    EndpointCatalog& catalog_;
    const std::vector<AdapterInfo> adapters_{
        {.type = "docker-registry", .title = "any registry", .known_urls = {}, .credential_pattern = {}},
        {.type = "entrepot", .title = "Entrepôt", .known_urls = {}, .credential_pattern = {}},
    };
    mutable std::mutex mutex_;
    std::map<std::string, Error> troubles_;
    std::vector<RegistryEndpoint> opened_;
};

}  // namespace entrepot
