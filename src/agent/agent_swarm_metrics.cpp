#include "agent/agent_swarm_state.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace entrepot {
namespace {

// How well it goes with others.
void add_exchange_metrics(MetricsText& text, const AgentSwarmCounters& counted)
{
    text.counter(
        "entrepot_agent_swarm_duplicate_bytes_total",
        "Bytes of pieces that came twice; at most, because a blob's last piece is shorter.",
        counted.duplicate_bytes
    );
    text.counter(
        "entrepot_agent_swarm_busy_total", "Requests that others had no room for (BUSY).", counted.peers.refusals
    );
    text.counter("entrepot_agent_swarm_timeouts_total", "Requests that nobody answered.", counted.peers.timeouts);
    text.counter(
        "entrepot_agent_swarm_rewires_total", "Times that another neighbour would have helped.", counted.peers.rewires
    );
    text.counter(
        "entrepot_agent_swarm_bound_seconds_total",
        "Of images that became complete here, what this node's link would have taken for what was missing.",
        counted.bound_seconds
    );
    text.counter(
        "entrepot_agent_swarm_fetch_seconds_total",
        "Of these images, what it took. The one by this one is how well the swarm does.",
        counted.fetch_seconds
    );
}

}  // namespace

void AgentSwarm::add_metrics(MetricsText& text) const
{
    const auto counted = counters();
    text.gauge("entrepot_agent_swarms", "Images that this node takes part in.", counted.swarms);
    text.gauge("entrepot_agent_swarms_complete", "Of these, those of which all is here.", counted.complete);
    constexpr std::array<std::string_view, 3> classes{"registry", "zone", "across"};
    for (std::size_t at = 0; at < classes.size(); ++at) {
        text.counter(
            "entrepot_agent_swarm_received_bytes_total",
            "Bytes of chunks that came, by whom from: the registry as a seed, nodes of this zone, nodes of others.",
            counted.network.data_in[at],
            {{"from", classes[at]}}
        );
    }
    std::uint64_t sent = 0;
    for (const auto bytes : counted.network.data_out) sent += bytes;
    text.counter("entrepot_agent_swarm_sent_bytes_total", "Bytes of chunks that other nodes were sent.", sent);
    const std::array rates{
        std::pair{"up", counted.rate_up},
        std::pair{"down", counted.rate_down},
        std::pair{"across", counted.rate_across},
    };
    for (const auto& [direction, rate] : rates) {
        if (rate == no_rate_limit) continue;
        text.gauge(
            "entrepot_agent_swarm_rate_limit_bytes",
            "Bytes a second that it exchanges with other nodes at most; absent: any number.",
            rate,
            {{"direction", direction}}
        );
    }
    text.gauge("entrepot_agent_swarm_connections", "Connections to other nodes.", counted.network.connections);
    text.counter("entrepot_agent_swarm_false_chunks_total", "Chunks with other bytes.", counted.network.false_chunks);
    text.counter("entrepot_agent_swarm_refills_total", "Times that it asked for other neighbours.", counted.refills);
    text.counter("entrepot_agent_swarm_streams_total", "Streams to the tracker that came about.", counted.streams);
    text.gauge("entrepot_agent_swarm_streams_aside", "Streams to other instances that track images.", counted.asides);
    text.counter(
        "entrepot_agent_swarm_moved_total", "Times that an image was tracked by another instance.", counted.moved
    );
    text.counter(
        "entrepot_agent_swarm_unreached_total",
        "Times that the instance that tracks an image was not reached.",
        counted.here
    );
    text.counter("entrepot_agent_swarm_moves_total", "Times that the tracker was found elsewhere.", counted.moves);
    text.counter("entrepot_agent_swarm_revoked_total", "Images that the registry has taken back.", counted.revoked);
    for (std::size_t at = 0; at < counted.tickets_refused.size(); ++at) {
        text.counter(
            "entrepot_agent_swarm_tickets_refused_total",
            "Tickets of others that were worth nothing, by why.",
            counted.tickets_refused[at],
            {{"reason", name_of(static_cast<TicketRefusal>(at))}}
        );
    }
    add_exchange_metrics(text, counted);
    state_->storing().add_to(
        text, "entrepot_agent_chunk_store_seconds", "How long chunks took to be compared with their hashes and written."
    );
    text.gauge(
        "entrepot_agent_certificate_end_timestamp_seconds",
        "When this node's certificate ends, seconds since 1970; 0: it has none.",
        counted.certificate_ends / 1'000'000
    );
}

}  // namespace entrepot
