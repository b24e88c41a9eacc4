#pragma once

#include "core/random.hpp"
#include "exchange/copy/copy_run.hpp"
#include "ports/replication_policy.hpp"
#include "ports/upstreams.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace entrepot {

// The two ends of a policy, and what its tasks share in this process. Safe from any loop.
class ReplicationSites {
public:
    // This registry in the name of the policy's creator.
    using MakeLocal = std::function<std::shared_ptr<CopySite>(const ReplicationPolicy&)>;

    ReplicationSites(Upstreams& upstreams, MakeLocal make_local, const Clock& clock, Random& random)
        : upstreams_{upstreams}, make_local_{std::move(make_local)}, clock_{clock}, random_{random}
    {
    }

    struct Ends {
        std::shared_ptr<CopySite> source;
        std::shared_ptr<CopySite> target;
    };
    Task<Ends> open(ReplicationPolicy policy);  // as Upstreams does
    // What a run between them begins with. The ends outlive it.
    CopyRun::Parts parts_of(const ReplicationPolicy& policy, const Ends& ends);
    // With the policy's bandwidth, which its tasks share, and a task's own.
    CopyOptions options_of(const ReplicationPolicy& policy);

private:
    Upstreams& upstreams_;
    const MakeLocal make_local_;
    const Clock& clock_;
    Random& random_;
    std::mutex mutex_;
    std::map<std::int64_t, std::shared_ptr<AdaptiveLimit>> limits_;  // by endpoint
    struct PolicyRate {
        std::int64_t bytes_per_second = 0;
        std::shared_ptr<ByteRate> rate;
    };
    std::map<std::int64_t, PolicyRate> rates_;  // by policy
};

}  // namespace entrepot
