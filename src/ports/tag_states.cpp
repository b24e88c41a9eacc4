#include "ports/tag_states.hpp"

#include "core/bytes.hpp"
#include "oci/hasher.hpp"

namespace entrepot {

Digest digest_of_states(std::span<const TagState> states)
{
    Hasher hasher{DigestAlgorithm::sha256};
    std::string line;
    for (const auto& state : states) {
        line.assign(state.place.repository).append(1, '\t').append(state.place.tag).append(1, '\t');
        line.append(state.digest.text()).append(1, '\n');
        hasher.update(as_bytes(line));
    }
    return hasher.digest();
}

}  // namespace entrepot
