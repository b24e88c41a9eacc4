#pragma once

#include "access/policy.hpp"
#include "core/clock.hpp"
#include "core/task.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_queue.hpp"
#include "ports/outbound_http.hpp"
#include "ports/secret_box.hpp"
#include "ports/webhook_catalog.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// A target as somebody enters it: secrets that are not given stay what they are at the same address.
struct WebhookTargetInput {
    std::string type;
    std::string address;
    std::string format;
    std::optional<std::string> auth_header;
    std::optional<std::string> secret;
    bool any_certificate = false;
};
struct WebhookPolicyInput {
    std::string name;
    std::string description;
    bool enabled = true;
    std::vector<std::string> event_types;
    std::string repositories;
    std::string tags;
    std::vector<WebhookTargetInput> targets;
};

// Webhooks as people manage them: those of a project, or of the whole installation for project 0. Rights are those of
// notification-policy there. bad_request says what is wrong with an input.
class Webhooks {
public:
    static constexpr const char* job_kind = "webhook";

    struct Parts {
        WebhookCatalog& catalog;
        JobCatalog& jobs;
        JobQueue& queue;
        OutboundHttp& outbound;
        SecretBox& secrets;
        const AccessPolicy& policy;
        const Clock& clock;
    };
    explicit Webhooks(const Parts& parts) : parts_{parts} {}

    Result<> may_list(const Caller& caller, std::int64_t project_id) const
    {
        return require_on(caller, project_id, "list");
    }
    Task<ListPage<WebhookPolicy>> list(Caller caller, std::int64_t project_id, ListQuery query);
    Task<WebhookPolicy> find(Caller caller, std::int64_t project_id, std::int64_t id);
    Task<WebhookPolicy> create(Caller caller, std::int64_t project_id, WebhookPolicyInput input);
    Task<WebhookPolicy> change(Caller caller, std::int64_t project_id, std::int64_t id, WebhookPolicyInput input);
    Task<WebhookPolicy> remove(Caller caller, std::int64_t project_id, std::int64_t id);

    struct Trigger {
        WebhookPolicy policy;
        WebhookTrigger last;
    };
    Task<std::vector<Trigger>> last_triggers(Caller caller, std::int64_t project_id);

    // Deliveries: each is a job. not_found for one of another policy.
    Task<ListPage<Job>> deliveries(Caller caller, std::int64_t project_id, std::int64_t policy_id, ListQuery query);
    Task<Job> delivery(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id);
    Task<std::vector<JobLine>>
    delivery_log(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id);
    // Once more, whatever became of it: the new one's id.
    Task<std::int64_t> redeliver(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id);

private:
    Result<> require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const;
    Task<WebhookPolicy> policy_in(std::int64_t project_id, std::int64_t id);
    Task<WebhookPolicy> policy_from(WebhookPolicyInput input, std::int64_t project_id, std::vector<WebhookTarget> old);
    Task<WebhookTarget> target_from(WebhookTargetInput input, const std::vector<WebhookTarget>& old);
    std::string
    kept_or_sealed(const std::optional<std::string>& given, std::string_view kept, std::string_view context);
    Actor actor(const Caller& caller) const { return {caller.identity->user_id, parts_.clock.now()}; }

    Parts parts_;
};

// What sealed secrets of targets are bound to.
inline constexpr std::string_view webhook_auth_context = "webhook auth_header";
inline constexpr std::string_view webhook_secret_context = "webhook secret";

}  // namespace entrepot
