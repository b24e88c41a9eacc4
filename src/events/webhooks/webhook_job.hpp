#pragma once

#include "core/error.hpp"
#include "ports/event.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace entrepot {

// The parameters of a delivery's job: which target of its policy hears of which event, and as what.
struct WebhookJob {
    std::int64_t policy_id = 0;
    std::size_t target = 0;
    std::string address;  // that the target had then
    std::string type;
    Event event;
};
std::string webhook_job_text(const WebhookJob& job);
Result<WebhookJob> parse_webhook_job(std::string_view text);  // corrupt

}  // namespace entrepot
