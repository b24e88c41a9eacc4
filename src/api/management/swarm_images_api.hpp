#pragma once

#include "api/management/api_router.hpp"
#include "api/management/event_stream.hpp"
#include "delivery/swarm_images.hpp"

#include <memory>

namespace entrepot {

// /api/v2.0/swarm/images and /swarm/stream: which images go from node to node by this instance, and how they get on.
class SwarmImagesApi {
public:
    struct Needs {
        SwarmView* view = nullptr;  // null: this instance has no swarm
        const AccessPolicy& policy;
        const Clock& clock;
        std::int64_t most_streams = 1'000;
    };
    explicit SwarmImagesApi(const Needs& needs) : needs_{needs}, images_{needs.view, needs.policy} {}
    void add_to(ApiRouter& router);
    std::int64_t open_streams() const noexcept { return streams_->open.load(std::memory_order_relaxed); }

private:
    Task<Response> list(ApiCall call);
    Task<Response> show(ApiCall call);
    Task<Response> nodes(ApiCall call);
    Task<Response> follow(ApiCall call);

    const Needs needs_;
    const SwarmImages images_;
    const std::shared_ptr<EventStreamCount> streams_ = std::make_shared<EventStreamCount>();
};

}  // namespace entrepot
