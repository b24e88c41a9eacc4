#include "drivers/sql/sql_promotions.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/promotion_rows.hpp"

#include <algorithm>
#include <memory>

namespace entrepot {

namespace {

Result<Promotion> request_promotion(SqlSession& session, const PromotionOrder& order, const Actor& actor)
{
    TRY(const auto policy, find_promotion_policy(session, order.project_id, order.policy_id));
    if (policy.disabled) {
        return fail(Errc::precondition_failed, "the promotion policy \"" + policy.name + "\" is disabled");
    }
    TRY(const auto plan, plan_promotion(session, policy, order, actor.at));
    std::vector<PromotionItem> items;
    for (const auto& entry : plan.entries) {
        if (!entry.refusals.empty()) {
            return fail(
                Errc::precondition_failed,
                entry.item.repository + ":" + entry.item.tag + " can't be promoted: " + entry.refusals.front()
            );
        }
        if (!entry.there) items.push_back(entry.item);
    }
    if (items.empty()) return fail(Errc::unprocessable, "nothing is left to promote: all of it is there");
    TRY(const auto id, add_promotion(session, policy, order.comment, items, actor));
    return find_promotion(session, id, actor.at);
}

struct Executed {
    Promotion promotion;
    std::vector<std::string> repositories;
};

// The policy as it is now: who has closed a gate since has closed it. Nobody would ask again for an automatic one, so
// it stays approved until its gates open, or its time is over.
Result<Executed> execute_promotion(SqlSession& session, std::int64_t id, const Actor& actor)
{
    TRY(auto promotion, lock_promotion(session, id, actor.at));
    if (promotion.state == PromotionState::done) return Executed{std::move(promotion), {}};
    if (promotion.state != PromotionState::approved) {
        return fail(Errc::conflict, "the promotion is " + std::string{name_of(promotion.state)});
    }
    const auto policy = find_promotion_policy(session, promotion.project_id, promotion.policy_id);
    if (!policy && policy.error().code() != Errc::not_found) return std::unexpected{policy.error()};
    if (!policy || policy->target_project_id != promotion.target_project_id) {
        return fail(Errc::precondition_failed, "its policy was removed or leads elsewhere");
    }
    const auto shut = promotion.automatic ? Errc::conflict : Errc::precondition_failed;
    if (policy->disabled) return fail(shut, "its policy is disabled");
    CHECK(check_still_wanted(session, promotion, *policy));
    TRY(const auto plan, plan_items(session, *policy, promotion.items, actor.at));
    for (const auto& entry : plan.entries) {
        if (entry.refusals.empty()) continue;
        return fail(shut, entry.item.repository + ":" + entry.item.tag + ": " + entry.refusals.front());
    }
    TRY(auto repositories, promote_items(session, *policy, promotion, actor));
    CHECK(end_promotion(session, promotion, PromotionState::done, "", actor));
    TRY(auto done, find_promotion(session, id, actor.at));
    return Executed{std::move(done), std::move(repositories)};
}

// What says that this promotion can't be done, and not that it can't be done now.
bool is_final(Errc code) noexcept
{
    switch (code) {
        case Errc::unavailable:
        case Errc::storage_full:
        case Errc::internal:
        case Errc::corrupt:
        case Errc::not_found:
        case Errc::conflict: return false;
        default: return true;
    }
}

}  // namespace

Task<ListPage<PromotionPolicy>> SqlPromotions::policies(std::int64_t project_id, ListQuery query)
{
    const auto work = [project_id, query](SqlSession& session) {
        return list_promotion_policies(session, project_id, query);
    };
    co_return co_await engine_.read(work);
}

Task<PromotionPolicy> SqlPromotions::policy(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) { return find_promotion_policy(session, project_id, id); };
    co_return co_await engine_.read(work);
}

Task<std::int64_t> SqlPromotions::create_policy(PromotionPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return create_promotion_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPromotions::change_policy(PromotionPolicy policy, Actor actor)
{
    const auto work = [policy = std::move(policy), actor](SqlSession& session) {
        return change_promotion_policy(session, policy, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlPromotions::remove_policy(std::int64_t project_id, std::int64_t id)
{
    const auto work = [project_id, id](SqlSession& session) {
        return remove_promotion_policy(session, project_id, id);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<PromotionPlan> SqlPromotions::plan(PromotionOrder order, Micros now)
{
    const auto work = [order = std::move(order), now](SqlSession& session) -> Result<PromotionPlan> {
        TRY(const auto policy, find_promotion_policy(session, order.project_id, order.policy_id));
        return plan_promotion(session, policy, order, now);
    };
    co_return co_await engine_.read(work);
}

Task<Promotion> SqlPromotions::request(PromotionOrder order, Actor actor)
{
    const auto work = [order = std::move(order), actor](SqlSession& session) {
        return request_promotion(session, order, actor);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<ListPage<Promotion>> SqlPromotions::list(std::int64_t project_id, ListQuery query, Micros now)
{
    const auto work = [project_id, query, now](SqlSession& session) {
        return list_promotions(session, project_id, query, now);
    };
    co_return co_await engine_.read(work);
}

Task<Promotion> SqlPromotions::find(std::int64_t project_id, std::int64_t id, Micros now)
{
    const auto work = [project_id, id, now](SqlSession& session) -> Result<Promotion> {
        TRY(auto promotion, find_promotion(session, id, now));
        if (promotion.project_id == project_id || promotion.target_project_id == project_id) return promotion;
        return fail(Errc::not_found, "there is no such promotion");
    };
    co_return co_await engine_.read(work);
}

Task<Promotion> SqlPromotions::vote(std::int64_t id, bool approves, std::string comment, Actor actor)
{
    const auto work = [id, approves, comment = std::move(comment), actor](SqlSession& session) -> Result<Promotion> {
        CHECK(vote_on_promotion(session, id, approves, comment, actor));
        return find_promotion(session, id, actor.at);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Promotion> SqlPromotions::cancel(std::int64_t id, Actor actor)
{
    const auto work = [id, actor](SqlSession& session) -> Result<Promotion> {
        TRY(const auto promotion, lock_promotion(session, id, actor.at));
        CHECK(end_promotion(session, promotion, PromotionState::cancelled, "", actor));
        return find_promotion(session, id, actor.at);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::int64_t> SqlPromotions::expire(Micros now)
{
    const auto work = [now](SqlSession& session) { return expire_promotions(session, now); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<PromotionPolicy>> SqlPromotions::event_based()
{
    co_return co_await engine_.read([](SqlSession& session) { return event_based_promotions(session); });
}

Task<std::int64_t> SqlPromotions::advance(
    std::string consumer,
    std::int64_t from,
    std::int64_t to,
    std::vector<PromotionStart> starts,
    std::vector<PromotionTouch> touched
)
{
    const auto work = [consumer = std::move(consumer),
                       from,
                       to,
                       starts = std::move(starts),
                       touched = std::move(touched)](SqlSession& session) -> Result<std::int64_t> {
        CHECK(advance_consumer(session, consumer, from, to));
        std::int64_t made = 0;
        for (const auto& start : starts) {
            TRY(const bool is_new, start_promotion(session, start));
            made += is_new ? 1 : 0;
        }
        for (const auto& touch : touched) CHECK(touch_promotions(session, touch));
        return made;
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::vector<std::int64_t>> SqlPromotions::due(Micros now, std::int64_t limit)
{
    const auto work = [now, limit](SqlSession& session) { return due_promotions(session, now, limit); };
    co_return co_await engine_.read(work);
}

Task<Promotion> SqlPromotions::look(std::int64_t id, Micros now, Micros again)
{
    const auto work = [id, now, again](SqlSession& session) { return look_at_promotion(session, id, now, again); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<Pipeline> SqlPromotions::pipeline(std::int64_t project_id)
{
    const auto work = [project_id](SqlSession& session) { return pipeline_around(session, project_id); };
    co_return co_await engine_.read(work);
}

Task<std::vector<JourneyStage>>
SqlPromotions::journey(std::string digest, std::vector<std::int64_t> projects, Micros now)
{
    const auto work = [digest = std::move(digest), projects = std::move(projects), now](SqlSession& session
                      ) -> Result<std::vector<JourneyStage>> {
        std::vector<JourneyStage> stages;
        for (const auto project : projects) {
            TRY(auto stage, journey_stage(session, digest, project, now));
            stages.push_back(std::move(stage));
        }
        return stages;
    };
    co_return co_await engine_.read(work);
}

Task<Promotion> SqlPromotions::execute(std::int64_t id, Actor actor)
{
    // What the last attempt wrote to. Only the engine's thread touches it.
    const auto names = std::make_shared<std::vector<std::string>>();
    const auto work = [id, actor, names](SqlSession& session) -> Result<Promotion> {
        TRY(auto executed, execute_promotion(session, id, actor));
        *names = std::move(executed.repositories);
        return std::move(executed.promotion);
    };
    const auto settled = [cache = cache_, names] {
        if (!cache) return;
        for (const auto& name : *names) cache->contents_removed(name);
    };
    auto done = co_await engine_.write(Durability::durable, work, settled);
    if (done || !is_final(done.error().code())) co_return done;
    const auto failing = [id, actor, error = done.error().message()](SqlSession& session) -> Result<Promotion> {
        TRY(const auto promotion, lock_promotion(session, id, actor.at));
        CHECK(end_promotion(session, promotion, PromotionState::failed, error, actor));
        return find_promotion(session, id, actor.at);
    };
    co_return co_await engine_.write(Durability::durable, failing);
}

}  // namespace entrepot
