#include "drivers/sql/promotion_rows.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace entrepot {

namespace {

constexpr SqlStatement find_stage{
    "SELECT p.name, COALESCE(m.value, '') FROM projects p LEFT JOIN project_metadata m ON m.project_id = p.id "
    "AND m.name = 'environment' WHERE p.id = $1"
};
constexpr SqlStatement select_places{
    "SELECT r.name, m.id, m.pushed_at FROM repositories r JOIN manifests m ON m.repository_id = r.id "
    "WHERE r.project_id = $1 AND m.digest = $2 ORDER BY r.name LIMIT $3"
};
constexpr SqlStatement select_place_tags{
    "SELECT name, pushed_at FROM tags WHERE manifest_id = $1 ORDER BY pushed_at DESC, name LIMIT $2"
};
// One that is on its way before those that have ended.
constexpr SqlStatement find_newest_into{"SELECT p.id FROM promotion_items i JOIN promotions p ON p.id = i.promotion_id "
                                        "WHERE i.digest = $1 AND p.target_project_id = $2 "
                                        "ORDER BY CASE WHEN p.ended_at = 0 THEN 0 ELSE 1 END, p.id DESC LIMIT 1"};

// A source before its targets: there are no circles.
void put_in_order(Pipeline& pipeline)
{
    std::map<std::int64_t, std::size_t> depth;
    bool deeper = true;
    for (std::size_t round = 0; deeper && round < pipeline.stages.size(); ++round) {
        deeper = false;
        for (const auto& step : pipeline.steps) {
            const auto wanted = depth[step.project_id] + 1;
            auto& target = depth[step.target_project_id];
            deeper = deeper || target < wanted;
            target = std::max(target, wanted);
        }
    }
    std::ranges::sort(pipeline.stages, {}, [&](const Pipeline::Stage& stage) {
        return std::pair{depth[stage.project_id], stage.project_id};
    });
    std::ranges::sort(pipeline.steps, {}, [&](const PromotionPolicy& step) {
        return std::pair{depth[step.project_id], step.id};
    });
}

}  // namespace

Result<Pipeline> pipeline_around(SqlSession& session, std::int64_t project_id)
{
    Pipeline pipeline;
    std::set<std::int64_t> known{project_id};
    std::set<std::int64_t> steps;
    std::deque<std::int64_t> left{project_id};
    while (!left.empty()) {
        const auto at = left.front();
        left.pop_front();
        TRY(auto stage, session.run(find_stage, {at}));
        if (stage.empty()) return fail(Errc::not_found, "there is no such project");
        pipeline.stages.push_back({at, stage.front().take_text(0), stage.front().take_text(1)});
        TRY(auto policies, policies_around(session, at));
        for (auto& policy : policies) {
            const auto other = policy.project_id == at ? policy.target_project_id : policy.project_id;
            if (!known.contains(other) && known.size() == PromotionCatalog::most_stages) continue;
            if (known.insert(other).second) left.push_back(other);
            if (steps.insert(policy.id).second) pipeline.steps.push_back(std::move(policy));
        }
    }
    put_in_order(pipeline);
    return pipeline;
}

Result<JourneyStage> journey_stage(SqlSession& session, const std::string& digest, std::int64_t project_id, Micros now)
{
    JourneyStage stage{.project_id = project_id, .places = {}, .promotion = std::nullopt};
    TRY(const auto places,
        session.run(select_places, {project_id, digest, static_cast<std::int64_t>(JourneyStage::most_places)}));
    for (const SqlRow& row : places) {
        const auto& name = row.text(0);
        JourneyStage::Place place{.repository = name.substr(name.find('/') + 1), .since = row.integer(2), .tags = {}};
        TRY(auto tags,
            session.run(select_place_tags, {row.integer(1), static_cast<std::int64_t>(JourneyStage::most_tags)}));
        for (SqlRow& tag : tags) place.tags.push_back({tag.take_text(0), tag.integer(1)});
        stage.places.push_back(std::move(place));
    }
    TRY(const auto newest, session.run(find_newest_into, {digest, project_id}));
    if (newest.empty()) return stage;
    TRY(stage.promotion, find_promotion(session, newest.front().integer(0), now));
    return stage;
}

}  // namespace entrepot
