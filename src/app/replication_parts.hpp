#pragma once

#include "api/token/master_key_box.hpp"
#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "drivers/upstream/endpoint_upstreams.hpp"
#include "exchange/replication/replication_copy.hpp"
#include "exchange/replication/replication_dispatch.hpp"
#include "exchange/replication/replication_plan.hpp"
#include "ports/metadata_store.hpp"
#include "registry/local_site.hpp"
#include "upkeep/jobs/job_runner.hpp"

#include <string_view>
#include <vector>

namespace entrepot {

// What moves artifacts between this registry and others: the others, the two kinds of jobs, and what events set off.
class ReplicationParts {
public:
    struct Needs {
        const Config& config;
        MetadataStore& store;
        const MasterKey& master_key;
        LocalSite::Parts local;
        const Clock& clock;
        Random& random;
    };
    // Throws std::runtime_error.
    explicit ReplicationParts(const Needs& needs);

    Upstreams& upstreams() noexcept { return upstreams_; }
    SecretBox& secrets() noexcept { return secrets_; }  // of their credentials
    void hire(JobRunner& runner);
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;

    // The chore that is to be hurried when something has happened.
    static constexpr std::string_view following = "replication";

private:
    Needs needs_;
    MasterKeyBox secrets_;
    EndpointUpstreams upstreams_;
    ReplicationSites sites_;
    ReplicationPlan plan_;
    ReplicationCopy copy_;
    ReplicationDispatch dispatch_;
};

}  // namespace entrepot
