#pragma once

#include "api/operations/readiness.hpp"
#include "core/clock.hpp"
#include "core/metrics.hpp"
#include "http/message.hpp"
#include "ports/account_catalog.hpp"
#include "ports/blob_store.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace entrepot {

// GET and HEAD of /healthz (the process lives), /readyz (database and store answer; 503 and what fails, if not) and
// /metrics (Prometheus text). Which listener serves which is the router's matter. Safe from any loop.
class OperationsHandler {
public:
    // `add_metrics` adds what the others count; it is called on any loop and must not block.
    OperationsHandler(
        CatalogHealth& catalog,
        BlobStoreHealth& store,
        const Clock& clock,
        std::function<void(MetricsText&)> add_metrics,
        Readiness::Limits limits = {}
    );

    // Any other path is 404, any other method 405.
    asio::awaitable<Response> handle(const Request& request);
    // What fails, by the names that /readyz shows: "database", "store".
    asio::awaitable<std::vector<Readiness::Failure>> check() { return readiness_.check(); }
    // Before catalog and store go: ends the probes that are on their way.
    asio::awaitable<std::size_t> drain(std::chrono::steady_clock::duration patience)
    {
        return readiness_.drain(patience);
    }

private:
    Response metrics() const;
    asio::awaitable<Response> ready();

    std::function<void(MetricsText&)> add_metrics_;
    Readiness readiness_;
};

}  // namespace entrepot
