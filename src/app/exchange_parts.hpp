#pragma once

#include "access/policy.hpp"
#include "app/background.hpp"
#include "core/metrics.hpp"
#include "exchange/endpoints.hpp"
#include "exchange/replications.hpp"
#include "ports/metadata_store.hpp"

#include <mutex>
#include <vector>

namespace entrepot {

// Registries elsewhere, and what is copied from and to them.
class ExchangeParts {
public:
    struct Needs {
        MetadataStore& store;
        OutboundHttp& outbound;
        Timetable& timetable;
        const AccessPolicy& policy;
        Upstreams& upstreams;
        SecretBox& secrets;
        const Clock& clock;
    };
    explicit ExchangeParts(const Needs& needs);

    Endpoints& endpoints() noexcept { return endpoints_; }
    Replications& replications() noexcept { return replications_; }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;

private:
    Task<> count();

    Needs needs_;
    Endpoints endpoints_;
    Replications replications_;

    struct PolicyLag {
        std::string policy;
        ReplicationLag lag;
    };
    mutable std::mutex mutex_;
    std::vector<RegistryEndpoint> looked_at_;
    std::vector<PolicyLag> lags_;
};

}  // namespace entrepot
