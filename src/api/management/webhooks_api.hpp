#pragma once

#include "api/management/api_router.hpp"
#include "events/webhooks/webhooks.hpp"

#include <list>
#include <string>

namespace entrepot {

// Webhooks of projects in Harbor's paths and shapes (API v2.0, tag webhook), and of the whole installation at
// /system/webhook in the same.
class WebhooksApi {
public:
    struct Needs {
        Webhooks& webhooks;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit WebhooksApi(const Needs& needs) : needs_{needs} {}
    void add_to(ApiRouter& router);

private:
    // Whose webhooks a request is about, and which of them.
    struct Scope {
        std::int64_t project_id = 0;
        std::string base;  // "/api/v2.0/projects/shop/webhook/policies/"
        std::vector<std::int64_t> ids;
    };
    Result<Scope> scope_of(const ApiCall& call) const;
    void note(const ApiCall& call, const Scope& scope, std::string_view name) const;

    Task<Response> list(ApiCall call);
    Task<Response> create(ApiCall call);
    Task<Response> read(ApiCall call);
    Task<Response> update(ApiCall call);
    Task<Response> remove(ApiCall call);
    Task<Response> choices(ApiCall call);
    Task<Response> last_triggers(ApiCall call);
    Task<Response> jobs(ApiCall call);
    Task<Response> executions(ApiCall call);
    Task<Response> tasks(ApiCall call);
    Task<Response> log(ApiCall call);
    Task<Response> redeliver(ApiCall call);

    Needs needs_;
    std::list<std::string> patterns_;  // the router refers to them
};

}  // namespace entrepot
