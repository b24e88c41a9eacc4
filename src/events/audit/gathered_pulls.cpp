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

void GatheredPulls::add(const AuditPull& pull, bool audited) noexcept
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
            Sum sum{
                .caller = pull.caller,
                .repository = pull.repository.text(),
                .digest = pull.manifest.digest.text(),
                .media_type = pull.manifest.media_type,
                .size = static_cast<std::int64_t>(pull.manifest.bytes.size()),
            };
            found = shard.sums.emplace(std::move(key), std::move(sum)).first;
        }
        ++found->second.count;
        if (audited) ++found->second.audited;
        found->second.last = now;
    } catch (const std::bad_alloc&) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
    }
}

std::vector<GatheredPull> GatheredPulls::take()
{
    std::vector<GatheredPull> pulls;
    for (auto& shard : shards_) {
        decltype(shard.sums) sums;
        {
            const std::scoped_lock lock{shard.mutex};
            if (shard.sums.empty()) continue;
            sums.reserve(shard.sums.size());
            sums.swap(shard.sums);
        }
        for (auto& [key, sum] : sums) {
            pulls.push_back({
                .caller = std::move(sum.caller),
                .repository = std::move(sum.repository),
                .tag = key.tag,
                .digest = std::move(sum.digest),
                .media_type = std::move(sum.media_type),
                .manifest_id = key.manifest_id,
                .size = sum.size,
                .client = key.client,
                .count = sum.count,
                .audited = sum.audited,
                .last = sum.last,
            });
        }
    }
    std::ranges::sort(pulls, {}, &GatheredPull::last);
    return pulls;
}

AuditRecord record_of(const GatheredPull& pull, const AccessPolicy& policy)
{
    AuditRecord record;
    record.at = pull.last;
    record.user_id = pull.caller->user_id;
    record.user = pull.caller->name;
    if (const auto project = policy.project(std::string_view{pull.repository}.substr(0, pull.repository.find('/')))) {
        record.project_id = project->id;
        record.tenant_id = project->tenant_id;
    }
    record.operation = "pull";
    record.resource_type = "artifact";
    record.resource = pull.repository + (pull.tag.empty() ? "@" + pull.digest : ":" + pull.tag);
    if (!pull.tag.empty()) record.after = R"({"digest":")" + pull.digest + R"("})";
    record.client = pull.client;
    record.count = pull.audited;
    return record;
}

}  // namespace entrepot
