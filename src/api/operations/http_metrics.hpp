#pragma once

#include "core/metrics.hpp"
#include "http/server.hpp"

namespace entrepot {

// What the HTTP server counts, under the names of docs/operations/metrics.md.
void add_http_metrics(MetricsText& metrics, const HttpCounters& counters);

}  // namespace entrepot
