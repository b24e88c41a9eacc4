#pragma once

#include "agent/agent_counters.hpp"
#include "agent/agent_image.hpp"
#include "oci/digest.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace entrepot {

// An image that runtimes pull from this node, with what all its readers share: which chunks somebody fetches from the
// registry by now, and where each came from. Safe from any thread.
class ServedImage {
public:
    // `in_swarm`: a carrier may bring its chunks; otherwise its descriptor is one that was made here.
    ServedImage(AgentImagePtr image, bool in_swarm);

    AgentImage& image() const noexcept { return *image_; }
    const AgentImagePtr& shared() const noexcept { return image_; }
    const SwarmId& swarm() const noexcept { return image_->descriptor().id(); }
    bool in_swarm() const noexcept { return in_swarm_; }

    // The first chunks of `within`, a run of one blob, that are missing and that nobody fetches: `most` of them at
    // most, and the caller's to fetch and to give back, one after the other. nullopt: there are none.
    std::optional<ChunkSpan> claim(ChunkSpan within, std::uint32_t most);
    // They are stored, or not going to be. Readers look again.
    void give_back(ChunkSpan chunks);
    // Came from the registry, and is stored.
    void note_fetched(ChunkIndex chunk);
    ByteOrigin origin(ChunkIndex chunk) const;

private:
    const AgentImagePtr image_;
    const bool in_swarm_;
    mutable std::mutex mutex_;
    std::vector<bool> at_start_;  // by chunk, as those below
    std::vector<bool> fetched_;
    std::vector<bool> claimed_;
};

using ServedImagePtr = std::shared_ptr<ServedImage>;

// The name of a blob or manifest whose SHA-256 this is, and back; nullopt for one of another algorithm.
Digest digest_of_sha256(const Sha256& hash);
std::optional<Sha256> sha256_of_digest(const Digest& digest);

}  // namespace entrepot
