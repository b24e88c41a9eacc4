#include "api/management/promotion_json.hpp"

#include "api/management/selector_json.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace entrepot {
namespace {

namespace json = boost::json;

constexpr std::int64_t one_week = 7 * 24 * 3600;
constexpr Micros one_second = 1'000'000;
constexpr std::int64_t most_seconds = std::int64_t{366} * 24 * 3600;
constexpr std::size_t longest_comment = 4096;

json::value time_json(Micros at)
{
    return at == 0 ? json::value(nullptr) : json::value(rfc3339(at));
}

json::object gate_json(const PromotionGate& gate)
{
    json::object object{{"kind", name_of(gate.kind)}};
    if (!gate.value.empty()) object["value"] = gate.value;
    if (gate.number != 0) object["number"] = gate.number;
    return object;
}

Result<PromotionGate> gate_of(const JsonBody& body)
{
    TRY(const auto name, body.text("kind"));
    const auto kind = promotion_gate_named(name);
    if (!kind) return fail(Errc::bad_request, "there is no gate \"" + name + "\"");
    TRY(auto value, body.optional_text("value"));
    TRY(const auto number, body.optional_integer("number"));
    PromotionGate gate{.kind = *kind, .value = std::move(value).value_or(""), .number = number.value_or(0)};
    CHECK(check_promotion_gate(gate));
    return gate;
}

json::object item_json(const PromotionItem& item)
{
    return {
        {"repository", item.repository},
        {"digest", item.digest},
        {"tag", item.tag},
        {"target_repository", item.target_repository},
        {"target_tag", item.target_tag},
    };
}

Result<Selectors> chosen(const JsonBody& body, std::string_view name, Result<Selectors> (*read)(const JsonBody&))
{
    if (body.has(name)) return read(body);
    return name == "tag_selectors" ? Selectors::of_tags({{false, "**"}}) : Selectors::of_repositories({{false, "**"}});
}

}  // namespace

json::object promotion_policy_json(const PromotionPolicy& policy)
{
    json::array gates;
    for (const auto& gate : policy.gates) gates.push_back(gate_json(gate));
    return {
        {"id", policy.id},
        {"name", policy.name},
        {"description", policy.description},
        {"disabled", policy.disabled},
        {"trigger", name_of(policy.trigger)},
        {"project_id", policy.project_id},
        {"project", policy.project},
        {"target_project_id", policy.target_project_id},
        {"target_project", policy.target_project},
        {"scope_selectors", scope_selectors_json(policy.repositories)},
        {"tag_selectors", tag_selectors_json(policy.tags)},
        {"target_repository", policy.target_repository},
        {"target_tag", policy.target_tag},
        {"gates", std::move(gates)},
        {"approvals", policy.approvals},
        {"self_approval", policy.self_approval},
        {"lifetime_seconds", policy.lifetime / one_second},
    };
}

Result<PromotionPolicy> promotion_policy_of(const JsonBody& body)
{
    TRY(auto name, body.text("name"));
    TRY(auto repositories, chosen(body, "scope_selectors", scope_selectors_of));
    TRY(auto tags, chosen(body, "tag_selectors", tag_selectors_of));
    PromotionPolicy policy{.name = std::move(name), .repositories = std::move(repositories), .tags = std::move(tags)};
    TRY(auto description, body.optional_text("description"));
    policy.description = std::move(description).value_or("");
    TRY(const auto disabled, body.optional_boolean("disabled"));
    policy.disabled = disabled.value_or(false);
    TRY(const auto trigger_text, body.optional_text("trigger"));
    const auto trigger = promotion_trigger_named(trigger_text.value_or("manual"));
    if (!trigger) return fail(Errc::bad_request, "a trigger is manual or event_based");
    policy.trigger = *trigger;
    TRY(auto repository, body.optional_text("target_repository"));
    if (repository) policy.target_repository = *std::move(repository);
    TRY(auto tag, body.optional_text("target_tag"));
    if (tag) policy.target_tag = *std::move(tag);
    TRY(const auto gates, body.objects("gates"));
    for (const auto& each : gates) {
        TRY(auto gate, gate_of(each));
        policy.gates.push_back(std::move(gate));
    }
    TRY(const auto approvals, body.optional_integer("approvals"));
    policy.approvals = approvals.value_or(1);
    TRY(const auto self_approval, body.optional_boolean("self_approval"));
    policy.self_approval = self_approval.value_or(false);
    TRY(const auto seconds, body.optional_integer("lifetime_seconds"));
    if (seconds.value_or(one_week) < 60 || seconds.value_or(one_week) > most_seconds) {
        return fail(Errc::bad_request, "lifetime_seconds is from 60 to " + std::to_string(most_seconds));
    }
    policy.lifetime = seconds.value_or(one_week) * one_second;
    return policy;
}

json::object promotion_json(const Promotion& promotion, bool whole)
{
    json::object object{
        {"id", promotion.id},
        {"policy_id", promotion.policy_id},
        {"policy", promotion.policy},
        {"project_id", promotion.project_id},
        {"target_project_id", promotion.target_project_id},
        {"target_project", promotion.target_project},
        {"state", name_of(promotion.state)},
        {"requester", promotion.requester},
        {"comment", promotion.comment},
        {"approvals_needed", promotion.approvals},
        {"creation_time", time_json(promotion.requested_at)},
        {"expiry_time", time_json(promotion.expires_at)},
        {"end_time", time_json(promotion.ended_at)},
        {"ended_by", promotion.ended_by},
        {"error", promotion.error},
        {"automatic", promotion.automatic},
        {"waiting_for", json::array(promotion.waiting_for.begin(), promotion.waiting_for.end())},
    };
    if (!whole) return object;
    json::array items;
    for (const auto& item : promotion.items) items.push_back(item_json(item));
    object["artifacts"] = std::move(items);
    json::array votes;
    for (const auto& vote : promotion.votes) {
        votes.push_back(json::object{
            {"user", vote.user}, {"approves", vote.approves}, {"comment", vote.comment}, {"time", time_json(vote.at)}
        });
    }
    object["approvals_given"] = std::ranges::count(promotion.votes, true, &PromotionVote::approves);
    object["decisions"] = std::move(votes);
    return object;
}

json::object promotion_plan_json(const PromotionPlan& plan)
{
    json::array entries;
    for (const auto& entry : plan.entries) {
        auto object = item_json(entry.item);
        object["there"] = entry.there;
        json::array refusals;
        for (const auto& refusal : entry.refusals) refusals.push_back(json::value(refusal));
        object["refusals"] = std::move(refusals);
        entries.push_back(std::move(object));
    }
    return {
        {"artifacts", std::move(entries)},
        {"open", plan.open()},
        {"manifests", plan.manifests},
        {"bytes", plan.bytes},
    };
}

Result<PromotionOrder> promotion_order_of(const JsonBody& body, const ProjectAccess& project)
{
    PromotionOrder order{.project_id = project.id};
    TRY(const auto policy, body.optional_integer("policy_id"));
    if (!policy) return fail(Errc::bad_request, "policy_id is missing");
    order.policy_id = *policy;
    TRY(auto comment, body.optional_text("comment"));
    order.comment = std::move(comment).value_or("");
    if (order.comment.size() > longest_comment) return fail(Errc::bad_request, "the comment is longer than 4096 bytes");
    TRY(const auto wishes, body.objects("artifacts"));
    for (const auto& each : wishes) {
        TRY(const auto path, each.text("repository"));
        TRY(auto repository, RepositoryName::parse(project.name + "/" + path));
        TRY(const auto text, each.text("reference"));
        TRY(auto reference, Reference::parse(text));
        order.wishes.push_back({std::move(repository), std::move(reference)});
    }
    return order;
}

}  // namespace entrepot
