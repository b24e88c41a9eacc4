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
    // The API's calls are on the loops of its requests, whose connections these are.
    EndpointUpstreams told_;
    Synchronisations synchronisations_;
    SynchronousPushes pushes_;
};

}  // namespace entrepot
