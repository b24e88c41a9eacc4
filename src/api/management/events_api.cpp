#include "api/management/events_api.hpp"

#include "access/glob.hpp"
#include "api/management/api_values.hpp"
#include "api/management/json_append.hpp"
#include "core/ascii.hpp"
#include "events/feed/event_json.hpp"

#include <boost/asio/this_coro.hpp>

namespace entrepot {
namespace {

constexpr std::uint64_t most_in_page = 1'000;
constexpr std::int64_t longest_stream = 86'400;

// A number of the log, or of a list.
Result<std::optional<std::int64_t>> number_of(const Query& query, std::string_view name)
{
    const auto text = query.first(name);
    if (!text) return std::nullopt;
    const auto number = parse_decimal(*text);
    if (!number || *number >= std::uint64_t{1} << 63U) {
        return fail(Errc::bad_request, std::string{name} + " is not a number");
    }
    return static_cast<std::int64_t>(*number);
}

}  // namespace

void EventsApi::add_to(ApiRouter& router)
{
    router.get("events", [this](ApiCall call) { return list(std::move(call)); });
    router.get("events/stream", [this](ApiCall call) { return follow(std::move(call)); });
}

Result<EventFilter> EventsApi::filter_of(const ApiCall& call) const
{
    EventFilter filter;
    TRY(filter.types, parse_event_types(call.query.first("type").value_or("")));
    TRY(const auto tenant, number_of(call.query, "tenant_id"));
    TRY(const auto project, number_of(call.query, "project_id"));
    filter.tenant_id = tenant.value_or(0);
    filter.project_id = project.value_or(0);
    filter.repository = call.query.first("repository").value_or("");
    if (!filter.repository.empty()) CHECK(check_glob(filter.repository));
    return filter;
}

Task<Response> EventsApi::list(ApiCall call)
{
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(const auto after, number_of(call.query, "after"));
    CO_TRY(const auto limit, number_of(call.query, "limit"));
    const auto wanted = static_cast<std::uint64_t>(limit.value_or(100));
    if (wanted < 1 || wanted > most_in_page) co_return fail(Errc::bad_request, "limit is from 1 to 1000");
    EventViewer viewer{needs_.policy, call.caller};
    CO_TRY(const auto page, co_await needs_.feed.read(std::move(viewer), std::move(filter), after.value_or(0), wanted));
    auto response = json_text(json_list(page.events, page.events.size() * 600, [](std::string& out, const auto& event) {
        out += event_json(*event);
    }));
    response.add("X-Next-Cursor", std::to_string(page.next));
    co_return response;
}

Task<Response> EventsApi::follow(ApiCall call)
{
    CO_TRY(auto filter, filter_of(call));
    CO_TRY(auto after, number_of(call.query, "after"));
    if (const auto last = call.request.header("last-event-id")) {
        const auto number = parse_decimal(*last);
        if (!number || *number >= std::uint64_t{1} << 63U) {
            co_return fail(Errc::bad_request, "Last-Event-ID is none of ours");
        }
        after = static_cast<std::int64_t>(*number);
    }
    CO_TRY(const auto seconds, number_of(call.query, "seconds"));
    if (seconds.value_or(1) < 1 || seconds.value_or(1) > longest_stream) {
        co_return fail(Errc::bad_request, "seconds is from 1 to 86400");
    }
    if (open_streams() >= needs_.most_streams) co_return fail(Errc::unavailable, "too many event streams are open");
    const auto loop = co_await asio::this_coro::executor;
    EventStream::Parts parts{
        .tail = needs_.feed.tail(),
        .viewer = EventViewer{needs_.policy, call.caller},
        .filter = std::move(filter),
        .clock = needs_.clock,
        .count = streams_,
        .lifetime = std::chrono::seconds{seconds.value_or(0)},
    };
    const auto from = after.value_or(needs_.feed.tail().range().newest);
    Response response;
    response.add("Content-Type", "text/event-stream");
    response.add("Cache-Control", "no-cache");
    response.add("X-Accel-Buffering", "no");
    response.body = std::make_shared<EventStream>(std::move(parts), from, loop);
    co_return response;
}

}  // namespace entrepot
