#pragma once

#include "drivers/sql/exact_cache.hpp"
#include "drivers/sql/sql_engine.hpp"
#include "ports/promotion_catalog.hpp"

namespace entrepot {

// PromotionCatalog on any SqlEngine. `cache` is null where other processes write too. Engine and cache outlive it.
class SqlPromotions final : public PromotionCatalog {
public:
    SqlPromotions(SqlEngine& engine, ExactCache* cache) : engine_{engine}, cache_{cache} {}

    Task<ListPage<PromotionPolicy>> policies(std::int64_t project_id, ListQuery query) override;
    Task<PromotionPolicy> policy(std::int64_t project_id, std::int64_t id) override;
    Task<std::int64_t> create_policy(PromotionPolicy policy, Actor actor) override;
    Task<> change_policy(PromotionPolicy policy, Actor actor) override;
    Task<> remove_policy(std::int64_t project_id, std::int64_t id) override;

    Task<PromotionPlan> plan(PromotionOrder order, Micros now) override;
    Task<Promotion> request(PromotionOrder order, Actor actor) override;
    Task<ListPage<Promotion>> list(std::int64_t project_id, ListQuery query, Micros now) override;
    Task<Promotion> find(std::int64_t project_id, std::int64_t id, Micros now) override;
    Task<Promotion> vote(std::int64_t id, bool approves, std::string comment, Actor actor) override;
    Task<Promotion> cancel(std::int64_t id, Actor actor) override;
    Task<std::int64_t> expire(Micros now) override;
    Task<std::vector<PromotionPolicy>> event_based() override;
    Task<std::int64_t> advance(
        std::string consumer,
        std::int64_t from,
        std::int64_t to,
        std::vector<PromotionStart> starts,
        std::vector<PromotionTouch> touched
    ) override;
    Task<std::vector<std::int64_t>> due(Micros now, std::int64_t limit) override;
    Task<Promotion> look(std::int64_t id, Micros now, Micros again) override;
    Task<Pipeline> pipeline(std::int64_t project_id) override;
    Task<std::vector<JourneyStage>>
    journey(std::string digest, std::vector<std::int64_t> projects, Micros now) override;
    Task<Promotion> execute(std::int64_t id, Actor actor) override;

private:
    SqlEngine& engine_;
    ExactCache* cache_;
};

}  // namespace entrepot
