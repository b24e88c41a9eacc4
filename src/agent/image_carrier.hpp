#pragma once

#include "agent/agent_image.hpp"
#include "core/metrics.hpp"
#include "swarm/wire/control_frames.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace entrepot {

// What brings images' chunks to the node besides the registry's HTTP: the swarm, or nobody. Safe from any thread; does
// what it is told soon, and says nothing back: chunks that come are stored in the image, whose bell rings.
class ImageCarrier {
public:
    virtual ~ImageCarrier() = default;

    // Who this node is, in 64 hexadecimal digits: what a ticket is to be made for. nullopt: not known yet.
    virtual std::optional<std::string> node() const = 0;
    // Whether it is in touch with who knows the other nodes.
    virtual bool connected() const { return node().has_value(); }
    virtual void add_metrics(MetricsText&) const {}
    // Somebody who may pull the image wants it: take part with this ticket (its bytes). Again, with a newer ticket, is
    // fine. `urgent`: a runtime waits for it; otherwise it is fetched ahead.
    virtual void bring(AgentImagePtr image, std::string ticket, bool urgent) = 0;
    // A runtime waits for these chunks: before everything else.
    virtual void urge(const SwarmId& image, ChunkSpan chunks) = 0;
    // The chunk came another way, and is stored.
    virtual void came(const SwarmId& image, ChunkIndex chunk) = 0;
    // An image that is fetched ahead takes at most so many bytes a second, as long as no runtime waits for any image.
    virtual void ahead(const SwarmId&, std::uint64_t /*rate*/) {}
    // Nobody wants it ahead any more. Whether a runtime does is another matter, and what is complete is still given.
    virtual void leave_ahead(const SwarmId&) {}
    // How a job of fetching an image ahead gets on; lost where there is nobody to be told.
    virtual void tell(PreheatProgressFrame) {}
};

}  // namespace entrepot
