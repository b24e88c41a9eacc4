#pragma once

#include "access/policy.hpp"
#include "api/token/master_key_box.hpp"
#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "drivers/upstream/endpoint_upstreams.hpp"
#include "exchange/synchronous/synchronisations.hpp"
#include "exchange/synchronous/synchronous_pushes.hpp"
#include "ports/metadata_store.hpp"
#include "registry/local_site.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <vector>

namespace entrepot {

// Projects that several sites hold.
class SynchronousParts {
public:
    struct Needs {
        const Config& config;
        MetadataStore& store;
        AccessPolicy& policy;
        std::function<Task<>()> catch_up;
        const MasterKey& master_key;
        LocalSite::Parts local;
        UploadViews& views;
        const Clock& clock;
        Random& random;
    };
    explicit SynchronousParts(const Needs& needs);

    PushCopies& copies() noexcept { return pushes_; }
    Synchronisations& synchronisations() noexcept { return synchronisations_; }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const { pushes_.add_metrics(text); }
    void stop() { pushes_.stop(); }

private:
    LocalSite::Parts local_;
    MasterKeyBox secrets_;
    asio::io_context loop_{1};  // outlives the connections to the sites
    EndpointUpstreams sites_;
    // The same for callers on other loops, which end before the connections do.
    class FromElsewhere final : public HomeSites {
    public:
        FromElsewhere(asio::io_context& loop, HomeSites& sites) : loop_{loop}, sites_{sites} {}
        Task<std::shared_ptr<CopySite>> open_as_home(std::int64_t endpoint_id, HomeClaim claim) override;
        Task<> announce(std::int64_t endpoint_id, std::string project, HomeClaim claim) override;
        Task<> dismiss(std::int64_t endpoint_id, std::string project, HomeClaim claim) override;

    private:
        asio::io_context& loop_;
        HomeSites& sites_;
    };
    FromElsewhere told_;
    Synchronisations synchronisations_;
    SynchronousPushes pushes_;
};

}  // namespace entrepot
