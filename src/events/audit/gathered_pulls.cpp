#include "events/audit/gathered_pulls.hpp"

#include <algorithm>
#include <functional>
#include <new>

namespace entrepot {
namespace {

std::size_t mixed(std::size_t seed, std::size_t value) noexcept
{
    return (seed ^ value) * 0x9e37'79b9'7f4a'7c15ULL;
}

}  // namespace

std::size_t GatheredPulls::Hash::operator()(const View& view) const noexcept
{
    const std::hash<std::string_view> of_text;
    const auto ids = mixed(static_cast<std::size_t>(view.user_id), static_cast<std::size_t>(view.manifest_id));
    return mixed(mixed(ids, of_text(view.tag)), of_text(view.client)) >> 8U;
}

void GatheredPulls::add(const AuditPull& pull) noexcept
{
    const View view{pull.caller->user_id, pull.manifest.id, pull.tag, pull.client};
    const auto now = clock_.now();
    auto& shard = shards_[Hash{}(view) % shards_.size()];
    try {
        const std::scoped_lock lock{shard.mutex};
        auto found = shard.sums.find(view);
        if (found == shard.sums.end()) {
            if (shard.sums.size() >= most_per_shard) throw std::bad_alloc{};
            Key key{view.user_id, view.manifest_id, std::string{view.tag}, std::string{view.client}};
            Sum sum{pull.caller, pull.repository.text(), pull.manifest.digest.text()};
            found = shard.sums.emplace(std::move(key), std::move(sum)).first;
        }
        ++found->second.count;
        found->second.last = now;
    } catch (const std::bad_alloc&) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
    }
}

AuditRecord GatheredPulls::record_of(const Key& key, const Sum& sum, const AccessPolicy& policy)
{
    AuditRecord record;
    record.at = sum.last;
    record.user_id = sum.caller->user_id;
    record.user = sum.caller->name;
    if (const auto project = policy.project(std::string_view{sum.repository}.substr(0, sum.repository.find('/')))) {
        record.project_id = project->id;
        record.tenant_id = project->tenant_id;
    }
    record.operation = "pull";
    record.resource_type = "artifact";
    record.resource = sum.repository + (key.tag.empty() ? "@" + sum.digest : ":" + key.tag);
    if (!key.tag.empty()) record.after = R"({"digest":")" + sum.digest + R"("})";
    record.client = key.client;
    record.count = sum.count;
    return record;
}

std::vector<AuditRecord> GatheredPulls::take(const AccessPolicy& policy)
{
    std::vector<AuditRecord> records;
    for (auto& shard : shards_) {
        decltype(shard.sums) sums;
        {
            const std::scoped_lock lock{shard.mutex};
            if (shard.sums.empty()) continue;
            sums.reserve(shard.sums.size());
            sums.swap(shard.sums);
        }
        for (const auto& [key, sum] : sums) records.push_back(record_of(key, sum, policy));
    }
    std::ranges::sort(records, {}, &AuditRecord::at);
    return records;
}

}  // namespace entrepot
