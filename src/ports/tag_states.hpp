#pragma once

#include "oci/digest.hpp"

#include <compare>
#include <cstdint>
#include <span>
#include <string>

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
};
struct TagState {
    TagPlace place;
    Digest digest;
};

// By which two registries tell that they hold the same: of one line a tag, "repository\ttag\tdigest\n". The order
// counts.
Digest digest_of_states(std::span<const TagState> states);

}  // namespace entrepot
