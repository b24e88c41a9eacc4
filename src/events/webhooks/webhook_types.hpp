#pragma once

#include "ports/event.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace entrepot {

// What webhooks can be set off by: Harbor's names where Harbor has them (API v2.0, webhook events), ours in the same
// style. `cloud` is the type in CloudEvents.
struct WebhookType {
    std::string_view name;
    std::string_view event;
    std::string_view cloud;
    bool system_only = false;  // of what is not in a project
};
std::span<const WebhookType> webhook_types() noexcept;
const WebhookType* webhook_type_named(std::string_view name) noexcept;

// The types that an event is of, the one that says most of it first. A push is also a TAG_CREATED or TAG_MOVED where
// it was one. None: what follows from another event.
std::vector<const WebhookType*> webhook_types_of(const Event& event);

}  // namespace entrepot
