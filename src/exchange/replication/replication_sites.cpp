#include "exchange/replication/replication_sites.hpp"

namespace entrepot {

Task<ReplicationSites::Ends> ReplicationSites::open(ReplicationPolicy policy)
{
    if (policy.source_id == policy.target_id) {
        co_return fail(Errc::unprocessable, "the policy would copy from a registry to itself");
    }
    Ends ends;
    if (policy.source_id == 0) {
        ends.source = make_local_(policy);
    } else {
        CO_TRY(ends.source, co_await upstreams_.open(policy.source_id));
    }
    if (policy.target_id == 0) {
        ends.target = make_local_(policy);
    } else {
        CO_TRY(ends.target, co_await upstreams_.open(policy.target_id));
    }
    co_return ends;
}

CopyRun::Parts ReplicationSites::parts_of(const ReplicationPolicy& policy, const Ends& ends)
{
    const auto endpoint = policy.source_id != 0 ? policy.source_id : policy.target_id;
    const std::lock_guard lock{mutex_};
    auto& limit = limits_[endpoint];
    if (!limit) limit = std::make_shared<AdaptiveLimit>(AdaptiveLimit::Bounds{}, clock_);
    return {*ends.source, *ends.target, limit, clock_, random_};
}

CopyOptions ReplicationSites::options_of(const ReplicationPolicy& policy)
{
    CopyOptions options;
    options.overrides = policy.overrides;
    options.with_referrers = policy.with_referrers;
    // A signature whose subject isn't there yet when its event is looked at is left to the subject's copy.
    options.referrers_again = policy.source_id == 0;
    options.signed_only = policy.signed_only;
    options.platforms = policy.platforms;
    if (policy.kilobytes_per_second > 0) {
        const auto bytes = static_cast<std::uint64_t>(policy.kilobytes_per_second) * 1024;
        options.rates.push_back(std::make_shared<ByteRate>(bytes));
    }
    if (policy.bytes_per_second <= 0) return options;
    const std::lock_guard lock{mutex_};
    auto& shared = rates_[policy.id];
    if (!shared.rate || shared.bytes_per_second != policy.bytes_per_second) {
        shared.bytes_per_second = policy.bytes_per_second;
        shared.rate = std::make_shared<ByteRate>(static_cast<std::uint64_t>(policy.bytes_per_second));
    }
    options.rates.push_back(shared.rate);
    return options;
}

}  // namespace entrepot
