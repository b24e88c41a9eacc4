#include "exchange/replication/state_comparison.hpp"

#include <utility>

namespace entrepot {
namespace {

constexpr std::int64_t tags_a_range = 10'000;  // what GET /tag-states tells at most
constexpr std::int64_t tags_a_part = 1'000;
constexpr int most_target_pages = 4;  // for one range of the source

std::unexpected<Error> no_way_on()
{
    return fail(Errc::unavailable, "the states of tags are told in another order than theirs");
}

}  // namespace

TagRange StateComparison::range_of(const Side& side, TagPlace after, TagPlace until, std::int64_t limit) const
{
    return {
        .after = std::move(after),
        .until = std::move(until),
        .limit = limit,
        .prefix = side.prefix,
        .with_referrers = with_referrers_,
    };
}

// Before the first name of the source that begins so is before the first one of the target.
TagPlace StateComparison::at_target(TagPlace place) const
{
    const bool below = place.repository.starts_with(source_.prefix);
    place.repository = target_.prefix + (below ? place.repository.substr(source_.prefix.size()) : std::string{});
    return place;
}

Task<StateComparison::Step> StateComparison::step(TagPlace after, TagPlace until)
{
    for (;;) {
        const bool in_parts = after < differs_until_;
        const auto limit = in_parts ? tags_a_part : tags_a_range;
        const auto range = range_of(source_, after, until, limit);
        CO_TRY(const auto here, co_await run_.patiently([&] { return source_.site.tag_summary(range); }));
        if (here.tags == 0) co_return Step{.last = after};
        if (here.last <= after || !here.last.repository.starts_with(source_.prefix)) co_return no_way_on();
        const auto same_range = range_of(target_, at_target(after), at_target(here.last), limit);
        CO_TRY(const auto there, co_await run_.patiently([&] { return target_.site.tag_summary(same_range); }));
        if (!there.more && there.tags == here.tags && there.digest == here.digest) {
            co_return Step{.equal = here.tags, .tags = {}, .last = here.last, .more = here.more};
        }
        if (in_parts || here.tags <= tags_a_part) {
            CO_TRY(auto listed, co_await list(after, here.last, limit));
            listed.more = listed.more || here.more;
            co_return listed;
        }
        differs_until_ = here.last;
    }
}

Task<StateComparison::Step> StateComparison::list(TagPlace after, TagPlace until, std::int64_t limit)
{
    const auto range = range_of(source_, after, until, limit);
    CO_TRY(const auto states, co_await run_.patiently([&] { return source_.site.tag_states(range); }));
    Step step{.last = until};
    // There may be more of them by now.
    if (std::ssize(states) >= limit) {
        step.last = states.back().place;
        step.more = step.last < until;
        if (step.last <= after) co_return no_way_on();
    }
    step.tags.reserve(states.size());
    for (const auto& state : states) step.tags.push_back({state.place});
    CO_CHECK(co_await compare_with_target(at_target(after), at_target(step.last), states, step));
    co_return step;
}

// The target may have any number of others between them: after some pages the rest is looked at one by one.
Task<>
StateComparison::compare_with_target(TagPlace after, TagPlace until, const std::vector<TagState>& states, Step& step)
{
    std::size_t next = 0;
    for (int pages = 0; pages < most_target_pages; ++pages) {
        const auto range = range_of(target_, after, until, tags_a_range);
        CO_TRY(const auto page, co_await run_.patiently([&] { return target_.site.tag_states(range); }));
        for (const auto& there : page) {
            while (next < states.size() && at_target(states[next].place) < there.place) ++next;
            if (next == states.size()) co_return Result<>{};
            const auto& here = states[next];
            if (at_target(here.place) != there.place) continue;
            step.tags[next].differs = here.digest != there.digest || here.referrers != there.referrers;
        }
        if (std::ssize(page) < range.limit) co_return Result<>{};
        if (page.back().place <= after) co_return no_way_on();
        after = page.back().place;
    }
    co_return Result<>{};
}

}  // namespace entrepot
