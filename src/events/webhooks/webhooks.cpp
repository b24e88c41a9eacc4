#include "events/webhooks/webhooks.hpp"

#include "access/glob.hpp"
#include "access/require.hpp"
#include "events/webhooks/webhook_types.hpp"

#include <algorithm>

namespace entrepot {
namespace {

constexpr std::size_t longest_name = 128;
constexpr std::size_t longest_description = 1'024;
constexpr std::size_t longest_address = 2'048;
constexpr std::size_t longest_secret = 4'096;
constexpr std::size_t most_targets = 10;

bool has_control(std::string_view text)
{
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<> check(const WebhookPolicyInput& input, bool of_system)
{
    if (input.name.empty() || input.name.size() > longest_name || has_control(input.name)) {
        return fail(Errc::bad_request, "a webhook policy's name has from 1 to 128 characters");
    }
    if (input.description.size() > longest_description) {
        return fail(Errc::bad_request, "a webhook policy's description has at most 1,024 bytes");
    }
    if (input.targets.empty() || input.targets.size() > most_targets) {
        return fail(Errc::bad_request, "a webhook policy has from 1 to 10 targets");
    }
    if (input.event_types.empty()) return fail(Errc::bad_request, "a webhook policy needs event types");
    for (const auto& name : input.event_types) {
        const auto* type = webhook_type_named(name);
        if (type == nullptr || (type->system_only && !of_system)) {
            return fail(Errc::bad_request, "there is no event type \"" + name + "\" here");
        }
    }
    if (!input.repositories.empty()) CHECK(check_glob(input.repositories));
    if (!input.tags.empty()) CHECK(check_glob(input.tags));
    return {};
}

Result<> check(const WebhookTargetInput& input)
{
    const bool is_slack = input.type == "slack";
    if (!is_slack && input.type != "http") return fail(Errc::bad_request, "a target's type is http or slack");
    const bool known_format = input.format == "Default" || (input.format == "CloudEvents" && !is_slack);
    if (!known_format) return fail(Errc::bad_request, "this payload_format is none of the target's");
    if (input.address.size() > longest_address) return fail(Errc::bad_request, "a target's address is too long");
    for (const auto* text : {&input.auth_header, &input.secret}) {
        if (*text && ((*text)->size() > longest_secret || has_control(**text))) {
            return fail(Errc::bad_request, "auth_header and secret are plain text of at most 4,096 bytes");
        }
    }
    return {};
}

ListCondition equals(std::string field, std::string value)
{
    return {.field = std::move(field), .kind = ListCondition::Kind::equal, .values = {std::move(value)}};
}

std::unexpected<Error> no_such_delivery()
{
    return fail(Errc::not_found, "the policy has no such execution");
}

}  // namespace

Result<> Webhooks::require_on(const Caller& caller, std::int64_t project_id, std::string_view action) const
{
    if (project_id == 0) {
        return require(parts_.policy, caller, need(ObjectKind::platform, "notification-policy", action), the_platform);
    }
    TRY(const auto project, require_project(parts_.policy, caller, parts_.policy.project(project_id)));
    return require(
        parts_.policy, caller, need(ObjectKind::project, "notification-policy", action), object_of(*project)
    );
}

Task<WebhookPolicy> Webhooks::policy_in(std::int64_t project_id, std::int64_t id)
{
    CO_TRY(auto policy, co_await parts_.catalog.find(id));
    if (policy.project_id != project_id) co_return fail(Errc::not_found, "there is no such webhook policy");
    co_return policy;
}

std::string
Webhooks::kept_or_sealed(const std::optional<std::string>& given, std::string_view kept, std::string_view context)
{
    if (!given) return std::string{kept};
    return given->empty() ? std::string{} : parts_.secrets.seal(*given, context);
}

Task<WebhookTarget> Webhooks::target_from(WebhookTargetInput input, const std::vector<WebhookTarget>& old)
{
    CO_CHECK(check(input));
    CO_CHECK(co_await parts_.outbound.check(input.address));
    // A secret never follows to another address.
    const auto same = std::ranges::find_if(old, [&](const WebhookTarget& target) {
        return target.address == input.address && target.type == input.type;
    });
    const auto before = same == old.end() ? WebhookTarget{} : *same;
    WebhookTarget target;
    target.auth_header = kept_or_sealed(input.auth_header, before.auth_header, webhook_auth_context);
    target.secret = kept_or_sealed(input.secret, before.secret, webhook_secret_context);
    target.type = std::move(input.type);
    target.address = std::move(input.address);
    target.format = std::move(input.format);
    target.any_certificate = input.any_certificate;
    co_return target;
}

Task<WebhookPolicy>
Webhooks::policy_from(WebhookPolicyInput input, std::int64_t project_id, std::vector<WebhookTarget> old)
{
    CO_CHECK(check(input, project_id == 0));
    WebhookPolicy policy;
    policy.project_id = project_id;
    policy.name = std::move(input.name);
    policy.description = std::move(input.description);
    policy.enabled = input.enabled;
    policy.event_types = std::move(input.event_types);
    policy.repositories = std::move(input.repositories);
    policy.tags = std::move(input.tags);
    for (auto& target : input.targets) {
        CO_TRY(auto checked, co_await target_from(std::move(target), old));
        policy.targets.push_back(std::move(checked));
    }
    co_return policy;
}

Task<ListPage<WebhookPolicy>> Webhooks::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    co_return co_await parts_.catalog.list(project_id, std::move(query));
}

Task<WebhookPolicy> Webhooks::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "read"));
    co_return co_await policy_in(project_id, id);
}

Task<WebhookPolicy> Webhooks::create(Caller caller, std::int64_t project_id, WebhookPolicyInput input)
{
    CO_CHECK(require_on(caller, project_id, "create"));
    CO_TRY(auto policy, co_await policy_from(std::move(input), project_id, {}));
    co_return co_await parts_.catalog.create(std::move(policy), actor(caller));
}

Task<WebhookPolicy> Webhooks::change(Caller caller, std::int64_t project_id, std::int64_t id, WebhookPolicyInput input)
{
    CO_CHECK(require_on(caller, project_id, "update"));
    CO_TRY(auto before, co_await policy_in(project_id, id));
    CO_TRY(auto policy, co_await policy_from(std::move(input), project_id, std::move(before.targets)));
    policy.id = id;
    co_return co_await parts_.catalog.change(std::move(policy), actor(caller));
}

Task<WebhookPolicy> Webhooks::remove(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "delete"));
    CO_TRY(auto policy, co_await policy_in(project_id, id));
    CO_CHECK(co_await parts_.catalog.remove(id, actor(caller)));
    co_return policy;
}

Task<std::vector<Webhooks::Trigger>> Webhooks::last_triggers(Caller caller, std::int64_t project_id)
{
    CO_CHECK(require_on(caller, project_id, "list"));
    ListQuery all;
    all.limit = 1'000;
    CO_TRY(auto policies, co_await parts_.catalog.list(project_id, all));
    CO_TRY(const auto last, co_await parts_.catalog.last_triggers(project_id));
    std::vector<Trigger> triggers;
    for (const auto& policy : policies.items) {
        for (const auto& type : policy.event_types) {
            const auto found = std::ranges::find_if(last, [&](const WebhookTrigger& trigger) {
                return trigger.policy_id == policy.id && trigger.event_type == type;
            });
            triggers.push_back({policy, found == last.end() ? WebhookTrigger{policy.id, type, 0} : *found});
        }
    }
    co_return triggers;
}

Task<ListPage<Job>>
Webhooks::deliveries(Caller caller, std::int64_t project_id, std::int64_t policy_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, "read"));
    CO_CHECK(co_await policy_in(project_id, policy_id));
    query.conditions.push_back(equals("kind", job_kind));
    query.conditions.push_back(equals("subject_id", std::to_string(policy_id)));
    co_return co_await parts_.jobs.list(std::move(query));
}

Task<Job> Webhooks::delivery(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "read"));
    CO_CHECK(co_await policy_in(project_id, policy_id));
    auto job = co_await parts_.jobs.find(id);
    if (!job && job.error().code() == Errc::not_found) co_return no_such_delivery();
    CO_CHECK(job);
    if (job->kind != job_kind || job->subject_id != policy_id) co_return no_such_delivery();
    co_return job;
}

Task<std::vector<JobLine>>
Webhooks::delivery_log(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id)
{
    CO_CHECK(co_await delivery(std::move(caller), project_id, policy_id, id));
    co_return co_await parts_.jobs.log(id);
}

Task<std::int64_t> Webhooks::redeliver(Caller caller, std::int64_t project_id, std::int64_t policy_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, "update"));
    CO_TRY(auto job, co_await delivery(caller, project_id, policy_id, id));
    NewJob again;
    again.kind = job_kind;
    again.subject_id = policy_id;
    again.tenant_id = job.tenant_id;
    again.project_id = job.project_id;
    again.parameters = std::move(job.parameters);
    again.most_attempts = job.most_attempts;
    again.actor = actor(caller);
    std::vector jobs{std::move(again)};
    CO_TRY(const auto ids, co_await parts_.queue.add(std::move(jobs)));
    co_return ids.at(0);
}

}  // namespace entrepot
