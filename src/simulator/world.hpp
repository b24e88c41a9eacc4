#pragma once

#include "simulator/event_queue.hpp"
#include "simulator/outcome.hpp"
#include "simulator/scenario.hpp"
#include "simulator/simulation.hpp"
#include "simulator/tracker_desk.hpp"
#include "swarm/peer/swarm_peer.hpp"
#include "swarm/peer/upload_queue.hpp"

#include <boost/container/small_vector.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace entrepot {

// What is simulated: nodes with links between them, the registry's instances among them, and a tracker. Messages take
// the latency of their way; data leaves a node piece by piece at the rate of its uplink, and has arrived when the
// receiver's downlink, which it shares with what else arrives, has taken it.
class World {
public:
    World(const Scenario& scenario, const PieceLayout& layout);
    World(const World&) = delete;
    World& operator=(const World&) = delete;
    ~World();

    Outcome run(const SimulationProgress& progress);

private:
    class Node;

    enum class Kind : std::uint8_t {
        arrive,   // node
        join,     // node, at the tracker
        starve,   // node, at the tracker: wants another neighbour, in place of node a - 1, if a is not 0
        report,   // node, at the tracker
        connect,  // node, other
        have,     // of node to its neighbours in zone b, payload a
        reveal,   // to node over its slot, connection b, payload a
        ask,      // the same
        cancel,   // to node over its slot, connection b: piece a
        busy,     // the same
        data,     // the same
        sent,     // node's uplink is free; over slot, connection b: piece a
        wake,     // node
        drop,     // node gives up its slot, connection b
        die,      // some nodes
        behead,   // those of the last zone that talk to the registry die
    };
    struct Event {
        Kind kind;
        bool false_data = false;
        NeighbourSlot slot = 0;
        std::uint32_t node = 0;
        std::uint32_t a = 0;
        std::uint32_t b = 0;
    };
    struct Payload {
        boost::container::small_vector<PieceRange, 4> ranges;
        SwarmTime load = 0;
        std::uint32_t uses = 0;
    };

    void add_nodes();
    void plan_arrivals();
    void happen(const Event& event);
    void arrive(Node& node);
    void join(Node& node);
    void starve(Node& node, std::uint32_t dropped);
    void report(Node& node);
    void connect_to(std::uint32_t node, std::span<const std::uint32_t> others);
    void connect(Node& node, Node& other);
    bool make_room(Node& node);
    void drop(Node& node, NeighbourSlot slot);
    void deliver_have(const Event& event);
    void deliver_ask(Node& node, const Event& event);
    void deliver_data(Node& node, const Event& event);
    void finish(Node& node);
    void send_next(Node& node);
    void die(Node& node);
    void kill_some();
    void kill_seeds();
    std::uint16_t zone_of(std::uint32_t node) const noexcept;
    SwarmTime pass_trunks(const Node& from, const Node& to, double bytes) noexcept;
    bool tracker_lives() const noexcept;

    void later(SwarmTime delay, const Event& event) { events_.push(now_ + delay, event); }
    SwarmTime way(const Node& from, const Node& to) const noexcept;
    std::uint32_t keep(std::span<const PieceRange> ranges, SwarmTime load, std::uint32_t uses);
    void release(std::uint32_t payload);
    Outcome outcome() const;

    const Scenario& scenario_;
    const PieceLayout& layout_;
    EventQueue<Event> events_;
    std::vector<std::unique_ptr<Node>> nodes_;  // the origins first
    std::vector<Payload> payloads_;
    std::vector<std::uint32_t> free_payloads_;
    TrackerDesk tracker_;
    SwarmRandom random_;
    std::vector<SwarmTime> trunks_out_;  // until when they are full; by zone
    std::vector<SwarmTime> trunks_in_;
    SwarmTime now_ = 0;
    std::uint32_t connections_ = 0;
    std::uint32_t awaited_ = 0;  // nodes that are still to be done
    std::uint32_t done_ = 0;
    std::uint64_t handled_ = 0;
    std::uint64_t requests_ = 0;
};

}  // namespace entrepot
