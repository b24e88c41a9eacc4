#include "ports/tag_states.hpp"

#include "core/bytes.hpp"
#include "oci/hasher.hpp"

#include <algorithm>

namespace entrepot {

Digest digest_of_referrers(std::vector<std::string> digests)
{
    std::ranges::sort(digests);
    Hasher hasher{DigestAlgorithm::sha256};
    for (auto& digest : digests) {
        digest += '\n';
        hasher.update(as_bytes(digest));
    }
    return hasher.digest();
}

Digest digest_of_states(std::span<const TagState> states, std::string_view prefix)
{
    Hasher hasher{DigestAlgorithm::sha256};
    std::string line;
    for (const auto& state : states) {
        std::string_view repository = state.place.repository;
        if (repository.starts_with(prefix)) repository.remove_prefix(prefix.size());
        line.assign(repository).append(1, '\t').append(state.place.tag).append(1, '\t');
        line.append(state.digest.text());
        if (state.referrers) line.append(1, '\t').append(state.referrers->text());
        line.append(1, '\n');
        hasher.update(as_bytes(line));
    }
    return hasher.digest();
}

TagSummary summary_of(std::vector<TagState>& states, const TagRange& range)
{
    const bool more = std::ssize(states) > range.limit;
    if (more) states.erase(states.begin() + static_cast<std::ptrdiff_t>(range.limit), states.end());
    TagSummary summary{.digest = digest_of_states(states, range.prefix)};
    summary.tags = std::ssize(states);
    summary.more = more;
    if (!states.empty()) summary.last = states.back().place;
    return summary;
}

}  // namespace entrepot
