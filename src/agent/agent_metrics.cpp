#include "agent/agent_metrics.hpp"

#include <array>

namespace entrepot {

void add_agent_metrics(MetricsText& metrics, const AgentCounters& counters)
{
    constexpr std::array<std::string_view, 4> origins{"store", "swarm", "registry", "passed"};
    for (std::size_t at = 0; at < origins.size(); ++at) {
        metrics.counter(
            "entrepot_agent_bytes_total",
            "Bytes of blobs given to runtimes, by where they came from: on the disk before, from other nodes, from the "
            "registry and kept, from the registry and passed on.",
            counters.bytes[at].load(),
            {{"source", origins[at]}}
        );
    }
    constexpr std::string_view pull_seconds = "entrepot_agent_pull_seconds";
    constexpr std::string_view pull_help =
        "How long pulls waited: for the registry's word that they may, for a first byte of a blob that was still "
        "arriving, and for the last one of it.";
    counters.authorising.add_to(metrics, pull_seconds, pull_help, {{"phase", "authorise"}});
    counters.first_byte.add_to(metrics, pull_seconds, pull_help, {{"phase", "first_byte"}});
    counters.transfer.add_to(metrics, pull_seconds, pull_help, {{"phase", "transfer"}});
    metrics.counter("entrepot_agent_images_total", "Images that were opened to be pulled.", counters.images.load());
    metrics.counter(
        "entrepot_agent_blobs_total", "Answers with a blob.", counters.blobs_served.load(), {{"way", "served"}}
    );
    metrics.counter(
        "entrepot_agent_blobs_total", "Answers with a blob.", counters.blobs_passed.load(), {{"way", "passed"}}
    );
    metrics.counter(
        "entrepot_agent_fallbacks_total",
        "Times that a reader waited for the swarm in vain and asked the registry.",
        counters.fallbacks.load()
    );
    metrics.counter("entrepot_agent_grants_total", "Rights that the registry confirmed.", counters.grants.load());
    metrics.counter(
        "entrepot_agent_grants_refused_total", "Rights that it did not confirm.", counters.grants_refused.load()
    );
    metrics.counter(
        "entrepot_agent_registry_failures_total",
        "Requests that the registry did not answer.",
        counters.registry_failures.load()
    );
    metrics.counter(
        "entrepot_agent_store_failures_total",
        "Images and chunks that the disk did not take.",
        counters.store_failures.load()
    );
    constexpr std::string_view preheats = "Images that the registry wanted here before anybody asked.";
    metrics.counter("entrepot_agent_preheats_total", preheats, counters.preheats_done.load(), {{"outcome", "done"}});
    metrics.counter(
        "entrepot_agent_preheats_total", preheats, counters.preheats_failed.load(), {{"outcome", "failed"}}
    );
}

void add_agent_http_metrics(MetricsText& metrics, const HttpCounters& counters)
{
    constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t index = 1; index < classes.size(); ++index) {
        metrics.counter(
            "entrepot_agent_http_requests_total",
            "Requests answered, by class of status.",
            counters.answers[index],
            {{"class", classes[index]}}
        );
    }
    metrics.gauge("entrepot_agent_http_connections", "Connections open.", counters.connections_open);
}

void add_chunk_store_metrics(MetricsText& metrics, const ChunkFilesStatistics& store)
{
    metrics.gauge("entrepot_agent_store_budget_bytes", "Disk that images may use.", store.budget_bytes);
    metrics.gauge("entrepot_agent_store_taken_bytes", "Of it, what blobs need when they are whole.", store.taken_bytes);
    metrics.gauge("entrepot_agent_store_used_bytes", "Of it, what is on disk.", store.used_bytes);
    metrics.gauge("entrepot_agent_store_blobs", "Blobs, whole or not.", store.blobs);
    metrics.gauge("entrepot_agent_store_complete_blobs", "Blobs of which all is here.", store.complete_blobs);
    metrics.gauge("entrepot_agent_store_pinned_blobs", "Blobs that are in use.", store.pinned_blobs);
    metrics.gauge("entrepot_agent_store_read_only", "1 while the disk takes nothing.", store.is_read_only ? 1 : 0);
    metrics.counter("entrepot_agent_store_evictions_total", "Blobs that went to make room.", store.evictions);
    metrics.counter("entrepot_agent_store_evicted_bytes_total", "Bytes of these.", store.evicted_bytes);
    metrics.counter("entrepot_agent_store_corrupt_chunks_total", "Chunks that were damaged.", store.corrupt_chunks);
    metrics.counter("entrepot_agent_store_read_bytes_total", "Bytes read.", store.read_bytes);
    metrics.counter("entrepot_agent_store_written_bytes_total", "Bytes written.", store.written_bytes);
}

}  // namespace entrepot
