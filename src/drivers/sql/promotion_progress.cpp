#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/promotion_rows.hpp"

#include <algorithm>

namespace entrepot {

namespace {

// Who made it, as long as there is such an account.
constexpr SqlStatement find_maker{
    "SELECT u.id FROM promotion_policies p JOIN users u ON u.id = p.created_by WHERE p.id = $1"
};
constexpr SqlStatement find_under_way{
    "SELECT p.id, i.digest FROM promotions p JOIN promotion_items i ON i.promotion_id = p.id "
    "WHERE p.policy_id = $1 AND p.automatic = 1 AND p.ended_at = 0 AND i.repository = $2 AND i.tag = $3 "
    "AND p.expires_at > $4 ORDER BY p.id"
};
constexpr SqlStatement find_shown{"SELECT m.digest FROM repositories r JOIN tags t ON t.repository_id = r.id JOIN "
                                  "manifests m ON m.id = t.manifest_id "
                                  "WHERE r.name = $1 AND t.name = $2"};
constexpr SqlStatement insert_waiting{
    "INSERT INTO promotions (project_id, target_project_id, policy_id, policy, state, approvals, self_approval, "
    "requester_id, comment, error, requested_at, expires_at, ended_at, ended_by, automatic, caused_by, look_at, "
    "waiting_for) VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, '', '', $8, $9, 0, 0, 1, $10, $8, '') RETURNING id"
};
constexpr SqlStatement insert_item{
    "INSERT INTO promotion_items (promotion_id, position, repository, digest, tag, target_repository, target_tag) "
    "VALUES ($1, 0, $2, $3, $4, $5, $6)"
};
constexpr SqlStatement touch_waiting{
    "UPDATE promotions SET look_at = $3 WHERE project_id = $1 AND automatic = 1 AND ended_at = 0 AND state = 'waiting' "
    "AND look_at > $3 AND id IN (SELECT promotion_id FROM promotion_items WHERE digest = $2)"
};
constexpr SqlStatement select_due{
    "SELECT id FROM promotions WHERE automatic = 1 AND ended_at = 0 AND look_at <= $1 "
    "AND expires_at > $1 AND (state = 'waiting' OR state = 'approved') ORDER BY look_at, id LIMIT $2"
};
constexpr SqlStatement find_look{"SELECT look_at FROM promotions WHERE id = $1"};
constexpr SqlStatement put_off{"UPDATE promotions SET look_at = $2, waiting_for = $3 WHERE id = $1"};
constexpr SqlStatement open_gates{
    "UPDATE promotions SET state = $2, approvals = $3, self_approval = $4, look_at = $5, waiting_for = '' WHERE id = $1"
};

Result<> supersede(SqlSession& session, std::int64_t id, const PromotionStart& start)
{
    TRY(const auto promotion, lock_promotion(session, id, start.at));
    // It has ended meanwhile, or its time is over.
    if (promotion.state > PromotionState::approved) return {};
    const Actor system{.user_id = 0, .at = start.at};
    return end_promotion(
        session, promotion, PromotionState::superseded, "the tag " + start.tag + " came to " + start.digest, system
    );
}

Result<> put_off_look(SqlSession& session, Promotion& promotion, std::vector<std::string> why, Micros now, Micros again)
{
    std::string text;
    for (const auto& line : why) text += line + "\n";
    const bool is_first = promotion.waiting_for.empty();
    promotion.waiting_for = std::move(why);
    CHECK(session.run(put_off, {promotion.id, again, text}));
    if (!is_first || promotion.waiting_for.empty()) return {};
    const Actor actor{.user_id = promotion.requester_id, .at = now};
    return record_promotion(session, event_type::promotion_waiting, promotion, actor);
}

// Where nobody is asked it stays due: whoever looks carries it out, and somebody else does where they can't any more.
Result<> pass_gates(SqlSession& session, Promotion& promotion, const PromotionPolicy& policy, Micros now)
{
    const bool asks_nobody = policy.approvals == 0;
    promotion.state = asks_nobody ? PromotionState::approved : PromotionState::pending;
    promotion.approvals = policy.approvals;
    promotion.waiting_for.clear();
    CHECK(session.run(
        open_gates,
        {promotion.id,
         name_of(promotion.state),
         policy.approvals,
         std::int64_t{policy.self_approval},
         asks_nobody ? now : promotion.expires_at}
    ));
    const Actor actor{.user_id = promotion.requester_id, .at = now};
    return record_promotion(session, event_type::promotion_requested, promotion, actor);
}

// The state that the policy and the source ask for by now, and why; nullopt: what was asked for stands.
Result<std::optional<std::pair<PromotionState, std::string>>>
withdrawal_of(SqlSession& session, const Promotion& promotion, const PromotionPolicy& policy)
{
    using Ended = std::pair<PromotionState, std::string>;
    if (policy.trigger != PromotionPolicy::Trigger::event_based) {
        return Ended{PromotionState::cancelled, "its policy waits for people now"};
    }
    for (const auto& item : promotion.items) {
        if (!policy.repositories.choose(item.repository) || !policy.tags.choose(item.tag)) {
            return Ended{PromotionState::cancelled, "its policy does not choose it any more"};
        }
        if (promotion_item(policy, item.repository, item.digest, item.tag) != item) {
            return Ended{PromotionState::cancelled, "its policy gives it another name now"};
        }
        TRY(const auto shown, session.run(find_shown, {policy.project + "/" + item.repository, item.tag}));
        if (shown.empty() || shown.front().text(0) != item.digest) {
            return Ended{PromotionState::superseded, "the tag " + item.tag + " does not lead to it any more"};
        }
    }
    return std::nullopt;
}

Result<> look_at_waiting(SqlSession& session, Promotion& promotion, Micros now, Micros again)
{
    const Actor system{.user_id = 0, .at = now};
    const auto end = [&](PromotionState state, const std::string& why) {
        return end_promotion(session, promotion, state, why, system);
    };
    const auto policy = find_promotion_policy(session, promotion.project_id, promotion.policy_id);
    if (!policy && policy.error().code() != Errc::not_found) return std::unexpected{policy.error()};
    if (!policy || policy->target_project_id != promotion.target_project_id) {
        return end(PromotionState::cancelled, "its policy was removed or leads elsewhere");
    }
    TRY(const auto withdrawn, withdrawal_of(session, promotion, *policy));
    if (withdrawn) return end(withdrawn->first, withdrawn->second);
    if (policy->disabled) return put_off_look(session, promotion, {"its policy is disabled"}, now, again);
    const auto plan = plan_items(session, *policy, promotion.items, now);
    if (!plan && plan.error().code() == Errc::unprocessable) {
        return end(PromotionState::cancelled, plan.error().message());
    }
    if (!plan) return std::unexpected{plan.error()};
    std::vector<std::string> shut;
    for (const auto& entry : plan->entries) shut.insert(shut.end(), entry.refusals.begin(), entry.refusals.end());
    if (std::ranges::all_of(plan->entries, &PromotionPlan::Entry::there)) {
        return end(PromotionState::superseded, "the target has it already");
    }
    if (!shut.empty()) return put_off_look(session, promotion, std::move(shut), now, again);
    return pass_gates(session, promotion, *policy, now);
}

}  // namespace

Result<> check_still_wanted(SqlSession& session, const Promotion& promotion, const PromotionPolicy& policy)
{
    if (!promotion.automatic) return {};
    TRY(const auto withdrawn, withdrawal_of(session, promotion, policy));
    if (withdrawn) return fail(Errc::unprocessable, withdrawn->second);
    return {};
}

// Without a look at the gates: that may fail, and the cursor has to move on.
Result<bool> start_promotion(SqlSession& session, const PromotionStart& start)
{
    const auto found = find_promotion_policy(session, start.project_id, start.policy_id);
    if (!found && found.error().code() == Errc::not_found) return false;
    if (!found) return std::unexpected{found.error()};
    const auto& policy = *found;
    if (policy.disabled) return false;
    TRY(const auto under_way, session.run(find_under_way, {policy.id, start.repository, start.tag, start.at}));
    bool is_on_its_way = false;
    for (const SqlRow& row : under_way) {
        if (row.text(1) == start.digest) {
            is_on_its_way = true;
        } else {
            CHECK(supersede(session, row.integer(0), start));
        }
    }
    if (is_on_its_way) return false;
    const auto item = promotion_item(policy, start.repository, start.digest, start.tag);
    TRY(const auto shown,
        session.run(find_shown, {policy.target_project + "/" + item.target_repository, item.target_tag}));
    if (!shown.empty() && shown.front().text(0) == start.digest) return false;
    TRY(const auto maker, session.run(find_maker, {policy.id}));
    TRY(const auto inserted,
        session.run(
            insert_waiting,
            {policy.project_id,
             policy.target_project_id,
             policy.id,
             policy.name,
             policy.approvals,
             std::int64_t{policy.self_approval},
             maker.empty() ? std::int64_t{0} : maker.front().integer(0),
             start.at,
             start.at + policy.lifetime,
             start.caused_by}
        ));
    CHECK(session.run(
        insert_item,
        {inserted.front().integer(0), item.repository, item.digest, item.tag, item.target_repository, item.target_tag}
    ));
    return true;
}

Result<> touch_promotions(SqlSession& session, const PromotionTouch& touch)
{
    CHECK(session.run(touch_waiting, {touch.project_id, touch.digest, touch.at}));
    return {};
}

Result<std::vector<std::int64_t>> due_promotions(SqlSession& session, Micros now, std::int64_t limit)
{
    TRY(const auto rows, session.run(select_due, {now, limit}));
    std::vector<std::int64_t> ids;
    for (const SqlRow& row : rows) ids.push_back(row.integer(0));
    return ids;
}

Result<Promotion> look_at_promotion(SqlSession& session, std::int64_t id, Micros now, Micros again)
{
    TRY(auto promotion, lock_promotion(session, id, now));
    const bool waits = promotion.state == PromotionState::waiting;
    if (!promotion.automatic || (!waits && promotion.state != PromotionState::approved)) return promotion;
    TRY(const auto look, session.run(find_look, {id}));
    if (look.front().integer(0) > now) return promotion;
    if (waits) {
        CHECK(look_at_waiting(session, promotion, now, again));
    } else {
        CHECK(session.run(put_off, {id, again, ""}));
    }
    return find_promotion(session, id, now);
}

}  // namespace entrepot
