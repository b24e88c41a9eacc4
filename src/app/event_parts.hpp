#pragma once

#include "access/policy.hpp"
#include "api/token/master_key_box.hpp"
#include "app/audit_parts.hpp"
#include "app/background.hpp"
#include "app/config.hpp"
#include "core/metrics.hpp"
#include "drivers/outbound/outbound_client.hpp"
#include "events/feed/event_feed.hpp"
#include "events/feed/pull_events.hpp"
#include "events/webhooks/webhook_delivery.hpp"
#include "events/webhooks/webhook_dispatch.hpp"
#include "events/webhooks/webhooks.hpp"
#include "ports/metadata_store.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace entrepot {

// The log of events as this instance follows it, and the webhooks that it sets off.
class EventParts {
public:
    struct Needs {
        const Config& config;
        MetadataStore& store;
        const AccessPolicy& policy;
        const MasterKey& master_key;
        AuditParts& audit;
        const Clock& clock;
        Random& random;
    };
    // Throws std::runtime_error.
    explicit EventParts(const Needs& needs);

    EventFeed& feed() noexcept { return feed_; }
    Webhooks& webhooks() noexcept { return webhooks_; }
    OutboundHttp& outbound() noexcept { return *outbound_; }
    // The handler of the jobs Webhooks::job_kind.
    JobHandler& delivery() noexcept { return delivery_; }
    std::vector<Background::Chore> chores();
    void add_metrics(MetricsText& text) const;
    // Before the metadata store stops: writes what was gathered. Blocks.
    void stop();

    // The chore that is to be hurried when something has happened.
    static constexpr const char* following = "events";

private:
    Task<> follow();
    Task<> remove_old();
    Task<> count_circuits();

    Needs needs_;
    EventTail tail_;
    EventFeed feed_;
    PullEvents pulls_;
    MasterKeyBox secrets_;
    std::unique_ptr<OutboundClient> outbound_;
    Webhooks webhooks_;
    WebhookDispatch dispatch_;
    WebhookDelivery delivery_;
    std::atomic<std::uint64_t> open_circuits_{0};
};

}  // namespace entrepot
