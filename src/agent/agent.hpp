#pragma once

#include "agent/agent_config.hpp"
#include "agent/image_carrier.hpp"
#include "core/clock.hpp"
#include "drivers/chunk_files/chunk_files.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace entrepot {

// What a carrier is made with; all of it outlives the carrier.
struct AgentSwarmNeeds {
    const AgentConfig& config;
    ChunkFiles& store;
    asio::thread_pool& pool;         // for what blocks
    asio::any_io_executor executor;  // a loop, which runs from Agent::start() to after the carrier is gone
    const Clock& clock;
    // To be told of each image that the registry takes back. From any thread.
    std::function<void(const SwarmId&)> revoked;
    // To be told of each image that is wanted here before anybody asks. Likewise.
    std::function<void(const PreheatFrame&)> preheat;
};

// Makes what brings images by the swarm; null: nothing does.
using AgentSwarmFactory = std::function<Result<std::unique_ptr<ImageCarrier>>(AgentSwarmNeeds)>;

// `entrepot agent`: the store, the registry on the loopback in front of it, and what brings images to it.
class Agent {
public:
    struct Patience {
        std::chrono::milliseconds give_up{120'000};  // of a body without a byte from anybody
        std::chrono::seconds drain_stalled{5};       // transfers that stand still
        std::chrono::seconds drain_longest{60};
    };

    // bad_request: the configuration; conflict: another agent has the directory; unavailable: an address can't be
    // listened on, the disk can't be read. Blocks. `clock` outlives it.
    static Result<std::unique_ptr<Agent>>
    create(AgentConfig config, const Clock& clock, AgentSwarmFactory make_swarm, Patience patience);
    ~Agent();
    Agent(const Agent&) = delete;
    Agent& operator=(const Agent&) = delete;

    // Requests are answered from here on.
    void start();
    // Lets transfers that make progress end, then everything else. Blocks.
    void stop();

    std::uint16_t port() const;
    std::uint16_t metrics_port() const;  // 0 where there is no such listener
    // What /healthz answers, as JSON, and /metrics.
    std::string health() const;
    std::string metrics() const;

private:
    class State;
    explicit Agent(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace entrepot
