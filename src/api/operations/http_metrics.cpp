#include "api/operations/http_metrics.hpp"

#include <array>

namespace entrepot {

void add_http_metrics(MetricsText& metrics, const HttpCounters& counters)
{
    constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};
    for (std::size_t index = 1; index < classes.size(); ++index) {
        const auto& answers = counters.answers[index];
        metrics.counter(
            "entrepot_http_requests_total",
            "Requests answered, by class of status.",
            answers,
            {{"class", classes[index]}}
        );
    }
    metrics.counter("entrepot_http_requests_received_total", "Requests received.", counters.requests);
    metrics.counter("entrepot_http_bad_requests_total", "Requests refused for their framing.", counters.bad_requests);
    metrics.gauge("entrepot_http_requests_in_flight", "Requests being worked on.", counters.in_flight);
    metrics.gauge("entrepot_http_connections", "Connections open.", counters.connections_open);
    metrics.counter("entrepot_http_connections_accepted_total", "Connections accepted.", counters.connections_accepted);
    metrics.counter(
        "entrepot_http_connections_refused_total", "Connections refused by a limit.", counters.connections_refused
    );
    metrics.counter("entrepot_http_received_bytes_total", "Bytes received.", counters.bytes_in);
    metrics.counter("entrepot_http_sent_bytes_total", "Bytes sent.", counters.bytes_out);
}

}  // namespace entrepot
