#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/random.hpp"
#include "events/webhooks/webhook_job.hpp"
#include "events/webhooks/webhook_payload.hpp"
#include "ports/job_handler.hpp"
#include "ports/outbound_http.hpp"
#include "ports/repository_catalog.hpp"
#include "ports/secret_box.hpp"
#include "ports/webhook_catalog.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace entrepot {

struct WebhookDeliveryOptions {
    std::string registry;                // host[:port] by which clients reach us, for payloads
    std::int64_t most_failures = 5;      // in a row, then the target is left alone
    Micros pause = 30'000'000;           // the first time
    Micros probe_patience = 15'000'000;  // of whoever tries an open target, before somebody else does
    int most_at_once = 4;                // to one target
    Micros crowd_wait = 500'000;         // of a delivery whose target has as many under way
};

// Runs of the job "webhook": one signed POST to one target. Any 2xx is success. A failure is tried again by the queue;
// a target that keeps failing, or has enough under way, puts its deliveries off without costing them an attempt, so
// that it holds nobody else up. Safe from any thread.
class WebhookDelivery final : public JobHandler {
public:
    struct Parts {
        WebhookCatalog& catalog;
        RepositoryCatalog& repositories;
        OutboundHttp& outbound;
        const SecretBox& secrets;
        const AccessPolicy& policy;
        const Clock& clock;
        Random& random;
    };
    WebhookDelivery(const Parts& parts, WebhookDeliveryOptions options) : parts_{parts}, options_{std::move(options)} {}

    Task<JobEnd> run(JobRun& run) override;

    struct Counters {
        std::uint64_t delivered = 0, failed = 0, put_off = 0, dropped = 0;
    };
    Counters counters() const noexcept;

private:
    using Target = std::pair<std::int64_t, std::size_t>;
    class Slot;

    Task<JobEnd> deliver(JobRun& run, const WebhookJob& job, const WebhookPolicy& policy);
    Task<std::optional<Micros>> wait_for_circuit(Target target, WebhookCircuit circuit);
    Task<OutboundAnswer> post(const JobRun& run, const WebhookJob& job, const WebhookPolicy& policy);
    Task<WebhookPayload> payload_of(const WebhookJob& job, const WebhookPolicy& policy);
    Task<JobEnd> settle(JobRun& run, Target target, const WebhookCircuit& circuit, Result<OutboundAnswer> answer);
    JobEnd later(Micros wait);
    JobEnd drop(JobRun& run, std::string why);

    Parts parts_;
    WebhookDeliveryOptions options_;
    std::mutex mutex_;
    std::map<Target, int> under_way_;
    std::atomic<std::uint64_t> delivered_{0}, failed_{0}, put_off_{0}, dropped_{0};
};

}  // namespace entrepot
