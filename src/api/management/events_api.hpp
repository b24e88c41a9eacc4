#pragma once

#include "access/policy.hpp"
#include "api/management/api_router.hpp"
#include "api/management/event_stream.hpp"

namespace entrepot {

// What happens, to be read again by a cursor (/events) and followed live (/events/stream). Everybody sees the events
// whose logs they may list.
class EventsApi {
public:
    struct Needs {
        EventFeed& feed;
        const AccessPolicy& policy;
        const Clock& clock;
        std::int64_t most_streams = 1'000;
    };
    explicit EventsApi(const Needs& needs) : needs_{needs} {}
    void add_to(ApiRouter& router);

    std::int64_t open_streams() const noexcept { return streams_->open.load(std::memory_order_relaxed); }

private:
    Task<Response> list(ApiCall call);
    Task<Response> follow(ApiCall call);
    Result<EventFilter> filter_of(const ApiCall& call) const;

    Needs needs_;
    std::shared_ptr<EventStreamCount> streams_ = std::make_shared<EventStreamCount>();
};

}  // namespace entrepot
