#include "registry/promotions.hpp"

#include "access/require.hpp"
#include "registry/repositories.hpp"

namespace entrepot {
namespace {

constexpr std::string_view of_policies = "promotion-policy";
constexpr std::string_view of_promotions = "promotion";
constexpr Micros one_minute = 60'000'000;
constexpr Micros one_year = Micros{366} * 24 * 60 * one_minute;
constexpr Micros until_next_look = one_minute;
constexpr std::chrono::seconds longest_pass{5};
constexpr std::size_t most_at_once = 100;  // read together
constexpr std::size_t longest_description = 4096;
const Permission approve_promotions = need(ObjectKind::project, "promotion", "approve");
const Permission pull_repository = need(ObjectKind::project, "repository", "pull");

// What may stand between braces: the one place holder, once.
Result<> check_pattern(std::string_view pattern, std::string_view place, const char* what)
{
    const auto at = pattern.find(place);
    std::string rest{pattern};
    if (at != std::string_view::npos) rest.erase(at, place.size());
    if (!pattern.empty() && pattern.size() <= RepositoryName::longest &&
        rest.find_first_of("{}") == std::string::npos) {
        return {};
    }
    return fail(Errc::bad_request, std::string{what} + " is a name in which " + std::string{place} + " may stand once");
}

Result<> check_policy(const PromotionPolicy& policy)
{
    if (policy.name.empty() || policy.name.size() > PromotionPolicy::longest_name) {
        return fail(Errc::bad_request, "a promotion policy's name has from 1 to 128 bytes");
    }
    if (policy.description.size() > longest_description) {
        return fail(Errc::bad_request, "the description is longer than 4096 bytes");
    }
    if (policy.project_id == policy.target_project_id) {
        return fail(Errc::bad_request, "promotions would go in a circle: source and target are the same project");
    }
    CHECK(check_pattern(policy.target_repository, "{repository}", "target_repository"));
    CHECK(check_pattern(policy.target_tag, "{tag}", "target_tag"));
    if (policy.gates.size() > PromotionPolicy::most_gates) {
        return fail(Errc::bad_request, "a promotion policy has at most 16 gates");
    }
    for (const auto& gate : policy.gates) CHECK(check_promotion_gate(gate));
    if (policy.approvals < 0 || policy.approvals > PromotionPolicy::most_approvals) {
        return fail(Errc::bad_request, "approvals is from 0 to 10");
    }
    if (policy.lifetime < one_minute || policy.lifetime > one_year) {
        return fail(Errc::bad_request, "a request lives for a minute at least and for a year at most");
    }
    return {};
}

}  // namespace

Result<> Promotions::require_on(
    const Caller& caller, std::int64_t project_id, std::string_view resource, std::string_view action
) const
{
    CHECK(require_project(policy_, caller, policy_.project(project_id)));
    const auto needed = need(ObjectKind::project, resource, action);
    return require(policy_, caller, needed, {.kind = ObjectKind::project, .id = project_id, .name = {}});
}

Task<ListPage<PromotionPolicy>> Promotions::policies(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, of_policies, "list"));
    co_return co_await catalog_.policies(project_id, std::move(query));
}

Task<PromotionPolicy> Promotions::policy(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, of_policies, "read"));
    co_return co_await catalog_.policy(project_id, id);
}

Task<std::int64_t> Promotions::create_policy(Caller caller, PromotionPolicy policy)
{
    CO_CHECK(require_on(caller, policy.project_id, of_policies, "create"));
    CO_CHECK(require_on(caller, policy.target_project_id, of_policies, "create"));
    CO_CHECK(check_policy(policy));
    co_return co_await catalog_.create_policy(std::move(policy), actor(caller));
}

Task<PromotionPolicy> Promotions::change_policy(Caller caller, PromotionPolicy policy)
{
    CO_CHECK(require_on(caller, policy.project_id, of_policies, "update"));
    CO_TRY(auto before, co_await catalog_.policy(policy.project_id, policy.id));
    CO_CHECK(require_on(caller, policy.target_project_id, of_policies, "update"));
    CO_CHECK(check_policy(policy));
    CO_CHECK(co_await catalog_.change_policy(std::move(policy), actor(caller)));
    co_return before;
}

Task<PromotionPolicy> Promotions::remove_policy(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, of_policies, "delete"));
    CO_TRY(auto before, co_await catalog_.policy(project_id, id));
    CO_CHECK(co_await catalog_.remove_policy(project_id, id));
    co_return before;
}

Result<> Promotions::may_order(const Caller& caller, const PromotionOrder& order) const
{
    CHECK(require_on(caller, order.project_id, of_promotions, "create"));
    if (order.wishes.size() > PromotionCatalog::most_items) {
        return fail(Errc::bad_request, "more than 200 artifacts are promoted in several promotions");
    }
    if (order.wishes.empty()) {
        const ObjectRef project{.kind = ObjectKind::project, .id = order.project_id, .name = {}};
        return require(policy_, caller, pull_repository, project);
    }
    for (const auto& wish : order.wishes) {
        CHECK(require_in_repository(policy_, caller, pull_repository, wish.repository));
    }
    return {};
}

Task<PromotionPlan> Promotions::plan(Caller caller, PromotionOrder order)
{
    CO_CHECK(may_order(caller, order));
    co_return co_await catalog_.plan(std::move(order), clock_.now());
}

Task<Promotion> Promotions::request(Caller caller, PromotionOrder order)
{
    CO_CHECK(may_order(caller, order));
    CO_TRY(auto promotion, co_await catalog_.request(std::move(order), actor(caller)));
    co_return co_await carried_out(std::move(promotion), actor(caller));
}

Task<ListPage<Promotion>> Promotions::list(Caller caller, std::int64_t project_id, ListQuery query)
{
    CO_CHECK(require_on(caller, project_id, of_promotions, "list"));
    co_return co_await catalog_.list(project_id, std::move(query), clock_.now());
}

Task<Promotion> Promotions::find(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_CHECK(require_on(caller, project_id, of_promotions, "read"));
    co_return co_await catalog_.find(project_id, id, clock_.now());
}

Result<> Promotions::may_decide(const Caller& caller, const Promotion& promotion) const
{
    // Who sees the promotion knows of its target.
    const ObjectRef target{.kind = ObjectKind::project, .id = promotion.target_project_id, .name = {}};
    if (policy_.may(caller, approve_promotions, target)) return {};
    return fail(Errc::denied, "you lack the permission promotion:approve in the target project");
}

Task<Promotion>
Promotions::vote(Caller caller, std::int64_t project_id, std::int64_t id, bool approves, std::string comment)
{
    CO_TRY(auto promotion, co_await find(caller, project_id, id));
    CO_CHECK(may_decide(caller, promotion));
    CO_TRY(promotion, co_await catalog_.vote(id, approves, std::move(comment), actor(caller)));
    co_return co_await carried_out(std::move(promotion), actor(caller));
}

Task<Promotion> Promotions::cancel(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_TRY(const auto promotion, co_await find(caller, project_id, id));
    if (promotion.requester_id != caller.identity->user_id) CO_CHECK(may_decide(caller, promotion));
    co_return co_await catalog_.cancel(id, actor(caller));
}

Task<Promotion> Promotions::execute(Caller caller, std::int64_t project_id, std::int64_t id)
{
    CO_TRY(const auto promotion, co_await find(caller, project_id, id));
    if (promotion.requester_id != caller.identity->user_id) CO_CHECK(may_decide(caller, promotion));
    CO_CHECK(check_thawed(promotion.target_project_id));
    co_return co_await catalog_.execute(id, actor(caller));
}

// Of a target that takes nothing for now: whoever carries it out need have no right there.
Result<> Promotions::check_thawed(std::int64_t project_id) const
{
    const auto project = policy_.project(project_id);
    const auto tenant = project ? policy_.tenant(project->tenant_id) : nullptr;
    if (tenant && !project->frozen && !tenant->frozen) return {};
    return fail(Errc::denied, "the target project is frozen");
}

// What can't be done for the moment stays approved, and says so by that.
Task<Promotion> Promotions::carried_out(Promotion promotion, Actor actor)
{
    if (promotion.state != PromotionState::approved || !check_thawed(promotion.target_project_id)) co_return promotion;
    auto done = co_await catalog_.execute(promotion.id, actor);
    if (!done) co_return promotion;
    co_return *std::move(done);
}

Task<> Promotions::look_at_due()
{
    Result<> outcome;
    // What was looked at is not due again at `now`, however long this takes; and events wait meanwhile.
    const auto now = clock_.now();
    const auto last = clock_.steady() + longest_pass;
    while (true) {
        CO_TRY(const auto ids, co_await catalog_.due(now, std::int64_t{most_at_once}));
        for (const auto id : ids) {
            auto seen = co_await catalog_.look(id, now, clock_.now() + until_next_look);
            if (!seen) {
                outcome = std::unexpected{seen.error()};
                continue;
            }
            const Actor actor{.user_id = seen->requester_id, .at = now};
            CO_CHECK(co_await carried_out(*std::move(seen), actor));
        }
        // What could not be looked at would come again at once.
        if (!outcome || ids.size() < most_at_once || clock_.steady() >= last) co_return outcome;
    }
}

Task<> Promotions::expire()
{
    CO_CHECK(co_await catalog_.expire(clock_.now()));
    co_return Result<>{};
}

}  // namespace entrepot
