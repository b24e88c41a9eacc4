#pragma once

#include "agent/agent_swarm_settings.hpp"
#include "agent/image_carrier.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>

namespace entrepot {

// The swarm's side of an agent: the node's identity, its stream to the tracker, its connections to other nodes, and
// the images that it takes part in. All of it on a thread of its own; the registry may be away at any time, also at the
// start, and everything is tried again. Safe from any thread.
class AgentSwarm final : public ImageCarrier {
public:
    // See make_agent_swarm().
    class State;
    explicit AgentSwarm(std::unique_ptr<asio::io_context> loop, std::unique_ptr<State> state);
    // Says farewell to everybody, and waits for what is being stored: some seconds.
    ~AgentSwarm() override;
    AgentSwarm(const AgentSwarm&) = delete;
    AgentSwarm& operator=(const AgentSwarm&) = delete;

    // Known once the node has a certificate.
    std::optional<std::string> node() const override;
    void bring(AgentImagePtr image, std::string ticket, bool urgent) override;
    void urge(const SwarmId& image, ChunkSpan chunks) override;
    void came(const SwarmId& image, ChunkIndex chunk) override;
    void ahead(const SwarmId& image, std::uint64_t rate) override;
    void leave_ahead(const SwarmId& image) override;
    void tell(PreheatProgressFrame progress) override;

    // There is a stream to the tracker, and it has bidden us welcome.
    bool connected() const noexcept override;
    void add_metrics(MetricsText& text) const override;
    // Where other nodes connect to; 0: not yet.
    std::uint16_t port() const noexcept;
    // As they were a moment ago.
    AgentSwarmCounters counters() const;

private:
    std::unique_ptr<asio::io_context> loop_;
    std::unique_ptr<State> state_;
    std::thread thread_;
};

// Begins at once. Blocks on the disk. `pool`, `clock` and `random` outlive it. bad_request: a name, a zone, a binding
// or an address that is none; corrupt, unavailable: as NodeCredentials::open() has it.
Result<std::unique_ptr<AgentSwarm>>
make_agent_swarm(AgentSwarmSettings settings, asio::thread_pool& pool, const Clock& clock, Random& random);

}  // namespace entrepot
