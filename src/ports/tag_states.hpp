#pragma once

#include "oci/digest.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace entrepot {

// A tag's place in the order of repositories and, within them, of tags. An empty tag stands before all of its
// repository.
struct TagPlace {
    std::string repository;
    std::string tag;

    auto operator<=>(const TagPlace&) const = default;
};
// What lies after `after`, up to and with `until` (an empty repository: to the end), at most `limit` of them.
struct TagRange {
    TagPlace after{};
    TagPlace until{};
    std::int64_t limit = 0;
    // What the range's names begin with and digests leave out, so that two registries can hold the same in different
    // places.
    std::string prefix{};
    bool with_referrers = true;
};
struct TagState {
    TagPlace place;
    Digest digest;
    // Of what refers to it, and to that, tags_referrers_deep at most: digest_of_referrers(). nullopt: nothing does, or
    // it was not asked for.
    std::optional<Digest> referrers{};
};
inline constexpr int tags_referrers_deep = 5;

// Of their digests in their order, one line each.
Digest digest_of_referrers(std::vector<std::string> digests);
// By which two registries tell that they hold the same: of one line a tag, "repository\ttag\tdigest\n", or
// "repository\ttag\tdigest\treferrers\n" where something refers to it. The order counts.
Digest digest_of_states(std::span<const TagState> states, std::string_view prefix = {});

// The first tags of a range, in short.
struct TagSummary {
    std::int64_t tags = 0;
    bool more = false;  // in the range, after `last`
    TagPlace last{};    // empty without tags
    Digest digest;
};
// Of states that were read with one more than `range` asks for: drops that one.
TagSummary summary_of(std::vector<TagState>& states, const TagRange& range);

}  // namespace entrepot
