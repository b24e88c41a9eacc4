#pragma once

#include "exchange/copy/copy_run.hpp"
#include "ports/copy_site.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// Finds what of a source's tags a target has otherwise, or not at all, by digests of ranges of tags: a range that is
// the same costs one question a side, of one that is not its parts are asked for, and of a part that is not its states.
// What is found is only what to look at: both sides may change between two questions. For one coroutine at a time.
class StateComparison {
public:
    // What the repositories' names begin with there; the rest of a name is the same on both sides.
    struct Side {
        CopySite& site;
        std::string prefix;
    };
    StateComparison(CopyRun& run, Side source, Side target, bool with_referrers)
        : run_{run}, source_{std::move(source)}, target_{std::move(target)}, with_referrers_{with_referrers}
    {
    }

    struct Compared {
        TagPlace place;  // at the source
        bool differs = true;
    };
    struct Step {
        std::int64_t equal = 0;  // tags of a range that is the same, of which `tags` has none
        std::vector<Compared> tags{};
        TagPlace last{};  // how far it reaches
        bool more = false;
    };
    // The tags after `after` up to and with `until`, as TagRange has them at the source; memory for as many tags as one
    // question is about. unsupported, denied: one of the two doesn't tell.
    Task<Step> step(TagPlace after, TagPlace until);

private:
    TagRange range_of(const Side& side, TagPlace after, TagPlace until, std::int64_t limit) const;
    TagPlace at_target(TagPlace place) const;
    Task<Step> list(TagPlace after, TagPlace until, std::int64_t limit);
    Task<> compare_with_target(TagPlace after, TagPlace until, const std::vector<TagState>& states, Step& step);

    CopyRun& run_;
    const Side source_;
    const Side target_;
    const bool with_referrers_;
    TagPlace differs_until_;  // the end of the range whose parts are being asked for
};

}  // namespace entrepot
