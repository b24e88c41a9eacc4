#pragma once

#include "agent/agent_counters.hpp"
#include "core/metrics.hpp"
#include "drivers/chunk_files/chunk_files.hpp"
#include "http/server.hpp"

namespace entrepot {

// What the agent counts, by the names of docs/agent.md.
void add_agent_metrics(MetricsText& metrics, const AgentCounters& counters);
void add_agent_http_metrics(MetricsText& metrics, const HttpCounters& counters);
void add_chunk_store_metrics(MetricsText& metrics, const ChunkFilesStatistics& store);

}  // namespace entrepot
