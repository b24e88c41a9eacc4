#pragma once

#include "simulator/scenario.hpp"
#include "swarm/tracker/tracker.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace entrepot {

// The tracker's own code as a simulated world meets it: each node has a control stream, says what agents say, and is
// named other nodes. Latencies are the world's affair. Nodes are numbered as in the world.
class TrackerDesk final : private TrackerShell {
public:
    // `others` are whom `node` is to connect to. Called from within the functions below.
    using Names = std::function<void(std::uint32_t node, std::span<const std::uint32_t> others)>;

    TrackerDesk(const Scenario& scenario, Names names);

    void join(std::uint32_t node, std::uint16_t zone, std::uint16_t progress, SwarmTime now);
    void starve(std::uint32_t node, std::optional<std::uint32_t> dropped, SwarmTime now);
    void report(std::uint32_t node, std::uint16_t progress, std::size_t neighbours, SwarmTime now);
    // `by` got a false piece from `liar`; the second time that anybody says so, the liar's stream ends.
    void caught(std::uint32_t by, std::uint32_t liar, SwarmTime now);
    void leave(std::uint32_t node);

    std::uint64_t messages() const noexcept { return messages_; }

private:
    void send(ControlId stream, std::string bytes) override;
    void close(ControlId) override {}
    void wants(ControlId stream, const NodeId&, SwarmHandle, const SwarmId&, const std::string& ticket) override;
    void renewal(ControlId, const NodeId&, const std::string&) override {}
    void reported(const NodeId& by, const ReportFrame& report) override;
    void preheat_progress(const NodeId&, const PreheatProgressFrame&) override {}
    void settle();

    Tracker tracker_;
    Names names_;
    std::vector<ControlId> wishes_;
    std::vector<std::uint32_t> liars_;
    std::vector<std::uint8_t> reports_;  // by node
    std::uint64_t messages_ = 0;
};

}  // namespace entrepot
