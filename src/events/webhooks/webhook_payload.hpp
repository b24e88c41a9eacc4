#pragma once

#include "events/webhooks/webhook_types.hpp"
#include "ports/event.hpp"
#include "ports/webhook_catalog.hpp"

#include <cstdint>
#include <string>

namespace entrepot {

// What a payload says of the event's surroundings.
struct WebhookContext {
    std::string registry;  // host[:port] by which clients reach us
    bool is_public = false;
    Micros repository_created_at = 0;  // 0: it is gone
};

struct WebhookPayload {
    std::string content_type;
    std::string body;
};

// The body for a target of this policy: Harbor's default JSON, CloudEvents 1.0 (structured mode) with Harbor's types
// and data, or Slack's blocks.
WebhookPayload webhook_payload(
    const Event& event,
    const WebhookType& type,
    const WebhookPolicy& policy,
    const WebhookTarget& target,
    const WebhookContext& context
);

// "t=1760000000,v1=…": HMAC-SHA256 in hexadecimal, keyed by the secret, of "<t>.<body>".
std::string webhook_signature(std::string_view secret, std::string_view body, Micros now);

// "sha256=…": the same of the body alone, as Flux's receivers of type generic-hmac take it
// (fluxcd/notification-controller, internal/server/receiver_handlers.go). It holds for ever, so who can should compare
// the other one.
std::string webhook_body_signature(std::string_view secret, std::string_view body);

}  // namespace entrepot
