#include "events/webhooks/webhook_delivery.hpp"

#include "events/webhooks/webhooks.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace entrepot {
namespace {

constexpr std::size_t longest_shown = 500;

std::string answer_text(const OutboundAnswer& answer)
{
    auto text = "HTTP " + std::to_string(answer.status);
    if (answer.status >= 300 && answer.status < 400) text += ", a redirect, which is not followed";
    return text;
}

// What of an answer people may read in a log.
std::string shown(std::string_view body)
{
    std::string text;
    for (const char c : body.substr(0, longest_shown)) {
        const auto code = static_cast<unsigned char>(c);
        text += code < 0x20 || code > 0x7e ? '.' : c;
    }
    return text;
}

std::string result_text(unsigned status)
{
    return boost::json::serialize(boost::json::object{{"status", status}});
}

}  // namespace

// One of the places at a target; none is left when it is empty.
class WebhookDelivery::Slot {
public:
    Slot(WebhookDelivery& owner, Target target) : owner_{owner}, target_{target}
    {
        const std::scoped_lock lock{owner_.mutex_};
        auto& count = owner_.under_way_[target_];
        taken_ = count < owner_.options_.most_at_once;
        if (taken_) ++count;
    }
    ~Slot()
    {
        if (!taken_) return;
        const std::scoped_lock lock{owner_.mutex_};
        if (--owner_.under_way_[target_] == 0) owner_.under_way_.erase(target_);
    }
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    explicit operator bool() const noexcept { return taken_; }

private:
    WebhookDelivery& owner_;
    Target target_;
    bool taken_ = false;
};

WebhookDelivery::Counters WebhookDelivery::counters() const noexcept
{
    return {delivered_.load(), failed_.load(), put_off_.load(), dropped_.load()};
}

// Spread over half as long again, so that those who wait don't all come back at once.
JobEnd WebhookDelivery::later(Micros wait)
{
    std::array<std::byte, 2> noise{};
    parts_.random.fill(noise);
    const auto part = (std::to_integer<Micros>(noise[0]) << 8) + std::to_integer<Micros>(noise[1]);
    put_off_.fetch_add(1, std::memory_order_relaxed);
    return {.kind = JobEnd::Kind::later, .wait = wait + wait / 2 * part / 65'536};
}

JobEnd WebhookDelivery::drop(JobRun& run, std::string why)
{
    run.log("not delivered: " + why);
    dropped_.fetch_add(1, std::memory_order_relaxed);
    return {.kind = JobEnd::Kind::failed, .result = std::move(why)};
}

Task<JobEnd> WebhookDelivery::run(JobRun& run)
{
    CO_TRY(const auto job, parse_webhook_job(run.parameters()));
    auto policy = co_await parts_.catalog.find(job.policy_id);
    if (!policy && policy.error().code() == Errc::not_found) co_return drop(run, "the policy was deleted");
    CO_CHECK(policy);
    const bool there = job.target < policy->targets.size() && policy->targets[job.target].address == job.address;
    if (!policy->enabled) co_return drop(run, "the policy was disabled");
    if (!there) co_return drop(run, "the policy has another target now");
    co_return co_await deliver(run, job, *policy);
}

// How long to leave the target alone; nullopt: it may be asked.
Task<std::optional<Micros>> WebhookDelivery::wait_for_circuit(Target target, WebhookCircuit circuit)
{
    if (circuit.open_until == 0) co_return std::nullopt;
    const auto now = parts_.clock.now();
    if (circuit.open_until > now) co_return circuit.open_until - now;
    CO_TRY(
        const bool mine,
        co_await parts_.catalog.claim_probe(
            target.first, target.second, circuit.open_until, now + options_.probe_patience
        )
    );
    co_return mine ? std::nullopt : std::optional{options_.probe_patience};
}

Task<JobEnd> WebhookDelivery::deliver(JobRun& run, const WebhookJob& job, const WebhookPolicy& policy)
{
    const Target target{policy.id, job.target};
    const Slot slot{*this, target};
    if (!slot) co_return later(options_.crowd_wait);
    const auto& circuit = policy.targets[job.target].circuit;
    CO_TRY(const auto wait, co_await wait_for_circuit(target, circuit));
    if (wait) co_return later(*wait);
    auto answer = co_await post(run, job, policy);
    co_return co_await settle(run, target, circuit, std::move(answer));
}

Task<WebhookPayload> WebhookDelivery::payload_of(const WebhookJob& job, const WebhookPolicy& policy)
{
    const auto* type = webhook_type_named(job.type);
    if (type == nullptr) co_return fail(Errc::corrupt, "a delivery is of no known type", job.type);
    WebhookContext context;
    context.registry = options_.registry;
    if (const auto project = parts_.policy.project(job.event.project_id)) context.is_public = project->is_public;
    if (auto name = RepositoryName::parse(job.event.repository)) {
        const auto repository = co_await parts_.repositories.find(*std::move(name));
        if (repository) context.repository_created_at = repository->created_at;
    }
    co_return webhook_payload(job.event, *type, policy, policy.targets[job.target], context);
}

Task<OutboundAnswer> WebhookDelivery::post(const JobRun& run, const WebhookJob& job, const WebhookPolicy& policy)
{
    const auto& target = policy.targets[job.target];
    CO_TRY(auto payload, co_await payload_of(job, policy));
    OutboundPost request;
    request.url = target.address;
    request.any_certificate = target.any_certificate;
    request.fields = {
        {"Content-Type", payload.content_type},
        {"Entrepot-Event", job.type},
        {"Entrepot-Event-Id", std::to_string(job.event.sequence)},
        {"Entrepot-Delivery", std::to_string(run.id())},
        {"Entrepot-Attempt", std::to_string(run.attempt())},
    };
    if (!target.auth_header.empty()) {
        CO_TRY(auto value, parts_.secrets.open(target.auth_header, webhook_auth_context));
        request.fields.emplace_back("Authorization", std::move(value));
    }
    if (!target.secret.empty()) {
        CO_TRY(const auto secret, parts_.secrets.open(target.secret, webhook_secret_context));
        request.fields.emplace_back("Entrepot-Signature", webhook_signature(secret, payload.body, parts_.clock.now()));
        request.fields.emplace_back("X-Signature", webhook_body_signature(secret, payload.body));
    }
    request.body = std::move(payload.body);
    co_return co_await parts_.outbound.post(std::move(request));
}

Task<JobEnd>
WebhookDelivery::settle(JobRun& run, Target target, const WebhookCircuit& circuit, Result<OutboundAnswer> answer)
{
    if (answer && answer->status >= 200 && answer->status < 300) {
        run.log("delivered: " + answer_text(*answer));
        delivered_.fetch_add(1, std::memory_order_relaxed);
        if (circuit.failures > 0) CO_CHECK(co_await parts_.catalog.succeeded(target.first, target.second));
        co_return JobEnd{.kind = JobEnd::Kind::done, .result = result_text(answer->status)};
    }
    const auto why = answer ? answer_text(*answer) : answer.error().message();
    run.log("failed: " + why + (answer && !answer->body.empty() ? ": " + shown(answer->body) : ""));
    failed_.fetch_add(1, std::memory_order_relaxed);
    CO_CHECK(co_await parts_.catalog.failed(
        target.first,
        target.second,
        {.error = why, .most = options_.most_failures, .pause = options_.pause, .now = parts_.clock.now()}
    ));
    co_return fail(Errc::unavailable, why);
}

}  // namespace entrepot
