// PlanRound between two sites that tell what ranges of tags point at.
#include "exchange/copy/at_once.hpp"
#include "exchange/replication/namespace_mapping.hpp"
#include "exchange/replication/plan_round.hpp"

namespace entrepot {
namespace {

constexpr std::size_t repositories_at_once = 8;

}  // namespace

// False: interrupted. unsupported, denied: nothing was planned that listing would not plan again.
Task<bool> PlanRound::walk_states()
{
    const auto& prefix = filters_.prefix();
    const auto exchange = exchanged_prefix(prefix, policy_.namespace_there, policy_.replaced_levels);
    if (!exchange) co_return fail(Errc::unsupported, "the names there are in another order");
    StateComparison comparison{
        copies_, {*ends_.source, exchange->from}, {*ends_.target, exchange->into}, policy_.with_referrers
    };
    referrers_deep_ = tags_referrers_deep;
    // No name has anything above '~'.
    const TagPlace until{prefix.empty() ? prefix : prefix + "~", {}};
    if (place_.repository.empty()) place_.repository = prefix;
    std::int64_t steps = 0;
    for (bool more = true; more;) {
        if (halted()) co_return false;
        if (++steps > parts_.most_pages) co_return fail(Errc::unavailable, "the states of tags do not end");
        CO_TRY(auto step, co_await comparison.step(place_, until));
        tally_.skipped += step.equal;
        CO_CHECK(co_await plan_compared(std::move(step.tags)));
        CO_CHECK(co_await flush());
        place_ = std::move(step.last);
        more = step.more;
        if (more) CO_CHECK(co_await save());
    }
    co_return true;
}

Task<> PlanRound::plan_compared(std::vector<StateComparison::Compared> tags)
{
    struct Differing {
        std::string repository;
        std::vector<std::string> tags;
    };
    std::vector<Differing> differing;
    for (auto& each : tags) {
        auto& [repository, tag] = each.place;
        if (!filters_.wants_repository(repository) || !filters_.wants_tag(tag)) continue;
        if (!each.differs) {
            ++tally_.skipped;
            continue;
        }
        if (differing.empty() || differing.back().repository != repository) differing.push_back({repository, {}});
        differing.back().tags.push_back(std::move(tag));
    }
    co_return co_await at_once(differing.size(), repositories_at_once, [&](std::size_t index) -> Task<> {
        const auto ends = destination_of(differing[index].repository);
        if (!ends) co_return Result<>{};
        co_return co_await plan_tags(ends->from, ends->into, std::move(differing[index].tags));
    });
}

}  // namespace entrepot
