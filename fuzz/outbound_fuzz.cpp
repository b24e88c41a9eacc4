// What people enter for webhooks and event filters: whatever is taken says the same again, and no way of writing an
// address of this machine gets past the rules.
#include "client/http_url.hpp"
#include "client/outbound_rules.hpp"
#include "events/feed/event_filter.hpp"
#include "events/webhooks/webhook_job.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace entrepot;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    static const auto rules = OutboundRules::parse({}).value();
    if (const auto url = parse_http_url(text)) {
        const auto again = parse_http_url(url->text());
        if (!again || again->text() != url->text()) std::abort();
        const auto address = Address::parse(url->host);
        const bool local = address && (address->text().starts_with("127.") || address->text() == "::1");
        if (local && rules.allows(url->host, *address)) std::abort();
    }
    (void)OutboundRules::parse({std::string{text}});
    (void)parse_event_types(text);
    if (const auto job = parse_webhook_job(text)) {
        const auto written = webhook_job_text(*job);
        const auto again = parse_webhook_job(written);
        if (!again || webhook_job_text(*again) != written) std::abort();
    }
    return 0;
}
