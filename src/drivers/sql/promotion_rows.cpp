#include "drivers/sql/promotion_rows.hpp"

#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/list_statement.hpp"

namespace entrepot {

namespace {

#define PROMOTION_COLUMNS                                                                               \
    "x.id, x.project_id, x.target_project_id, t.name, x.policy_id, x.policy, x.state, x.requester_id, " \
    "COALESCE(u.name, ''), x.comment, x.approvals, x.requested_at, x.expires_at, x.ended_at, "          \
    "COALESCE(e.name, ''), x.error, x.automatic, x.waiting_for"
#define PROMOTION_TABLES                                                                                     \
    "promotions x JOIN projects t ON t.id = x.target_project_id LEFT JOIN users u ON u.id = x.requester_id " \
    "LEFT JOIN users e ON e.id = x.ended_by"

constexpr ListColumn promotion_fields[] = {
    {"id", "x.id", ListColumn::Type::integer},
    {"state", "x.state"},
    {"policy_id", "x.policy_id", ListColumn::Type::integer},
    {"automatic", "x.automatic", ListColumn::Type::boolean},
};

constexpr SqlStatement find_by_id{"SELECT " PROMOTION_COLUMNS " FROM " PROMOTION_TABLES " WHERE x.id = $1"};
constexpr SqlStatement lock_by_id{"SELECT id FROM promotions WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement select_items{
    "SELECT repository, digest, tag, target_repository, target_tag FROM promotion_items WHERE promotion_id = $1 "
    "ORDER BY position"
};
constexpr SqlStatement select_votes{
    "SELECT v.user_id, COALESCE(u.name, ''), v.approves, v.comment, v.at FROM promotion_votes v "
    "LEFT JOIN users u ON u.id = v.user_id WHERE v.promotion_id = $1 ORDER BY v.at, v.user_id"
};
constexpr SqlStatement insert_promotion{
    "INSERT INTO promotions (project_id, target_project_id, policy_id, policy, state, approvals, self_approval, "
    "requester_id, comment, error, requested_at, expires_at, ended_at, ended_by) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', $10, $11, 0, 0) RETURNING id"
};
constexpr SqlStatement insert_item{
    "INSERT INTO promotion_items (promotion_id, position, repository, digest, tag, target_repository, target_tag) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"
};
constexpr SqlStatement may_vote_oneself{"SELECT self_approval, caused_by FROM promotions WHERE id = $1"};
constexpr SqlStatement insert_vote{
    "INSERT INTO promotion_votes (promotion_id, user_id, approves, comment, at) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (promotion_id, user_id) DO NOTHING RETURNING user_id"
};
constexpr SqlStatement count_approvals{"SELECT COUNT(*) FROM promotion_votes WHERE promotion_id = $1 AND approves = 1"};
// Whoever approves it carries it out as well, and only where that did not happen somebody has to look.
constexpr SqlStatement set_approved{"UPDATE promotions SET state = 'approved', look_at = $2 WHERE id = $1"};
constexpr SqlStatement set_state{
    "UPDATE promotions SET state = $2, error = $3, ended_at = $4, ended_by = $5 WHERE id = $1"
};
constexpr SqlStatement expire_open{
    "UPDATE promotions SET state = 'expired', ended_at = expires_at WHERE ended_at = 0 AND expires_at <= $1 "
    "RETURNING id"
};

constexpr Micros until_looked_at = 60'000'000;

std::unexpected<Error> no_such_promotion()
{
    return fail(Errc::not_found, "there is no such promotion");
}

bool is_open(PromotionState state) noexcept
{
    return state == PromotionState::waiting || state == PromotionState::pending || state == PromotionState::approved;
}

std::vector<std::string> lines_of(std::string_view text)
{
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

Promotion promotion_of(SqlRow& row, Micros now)
{
    Promotion promotion{
        .id = row.integer(0),
        .project_id = row.integer(1),
        .target_project_id = row.integer(2),
        .target_project = row.take_text(3),
        .policy_id = row.integer(4),
        .policy = row.take_text(5),
        .state = promotion_state_named(row.text(6)).value_or(PromotionState::failed),
        .requester_id = row.integer(7),
        .requester = row.take_text(8),
        .comment = row.take_text(9),
        .approvals = row.integer(10),
        .requested_at = row.integer(11),
        .expires_at = row.integer(12),
        .ended_at = row.integer(13),
        .ended_by = row.take_text(14),
        .error = row.take_text(15),
        .automatic = row.integer(16) != 0,
        .waiting_for = lines_of(row.text(17)),
        .items = {},
        .votes = {},
    };
    if (!is_open(promotion.state) || promotion.expires_at > now) return promotion;
    promotion.state = PromotionState::expired;
    promotion.ended_at = promotion.expires_at;
    return promotion;
}

// What is there now by which name: whoever deploys it need not ask.
boost::json::array images_json(const Promotion& promotion)
{
    boost::json::array images;
    for (const auto& item : promotion.items) {
        images.push_back(boost::json::object{
            {"repository", promotion.target_project + "/" + item.target_repository},
            {"tag", item.target_tag},
            {"digest", item.digest},
        });
    }
    return images;
}

std::string_view event_of(PromotionState state) noexcept
{
    switch (state) {
        case PromotionState::approved: return event_type::promotion_approved;
        case PromotionState::done: return event_type::promotion_done;
        case PromotionState::failed: return event_type::promotion_failed;
        case PromotionState::superseded: return event_type::promotion_superseded;
        default: return event_type::promotion_rejected;
    }
}

}  // namespace

// In both projects: who follows one of them hears of it.
Result<> record_promotion(SqlSession& session, std::string_view type, const Promotion& promotion, const Actor& actor)
{
    for (const auto project_id : {promotion.project_id, promotion.target_project_id}) {
        auto event = event_in_project(type, actor, project_id);
        boost::json::object details{
            {"id", promotion.id},
            {"policy", promotion.policy},
            {"to", promotion.target_project},
            {"state", name_of(promotion.state)},
            {"artifacts", promotion.items.size()},
        };
        if (!promotion.error.empty()) details["error"] = promotion.error;
        if (!promotion.waiting_for.empty()) {
            details["waiting_for"] = boost::json::array(promotion.waiting_for.begin(), promotion.waiting_for.end());
        }
        if (type == event_type::promotion_done) details["images"] = images_json(promotion);
        set_details(event, details);
        CHECK(record_event(session, event));
    }
    return {};
}

Result<ListPage<Promotion>>
list_promotions(SqlSession& session, std::int64_t project_id, const ListQuery& query, Micros now)
{
    ListStatement statement{PROMOTION_COLUMNS, PROMOTION_TABLES, promotion_fields};
    statement.where("(x.project_id = ? OR x.target_project_id = ?)", {project_id, project_id});
    CHECK(statement.apply(query));
    statement.order_by("x.id DESC");
    return statement.list(session, [&](SqlRow& row) { return promotion_of(row, now); });
}

Result<Promotion> find_promotion(SqlSession& session, std::int64_t id, Micros now)
{
    TRY(auto rows, session.run(find_by_id, {id}));
    if (rows.empty()) return no_such_promotion();
    auto promotion = promotion_of(rows.front(), now);
    TRY(auto items, session.run(select_items, {id}));
    for (SqlRow& row : items) {
        promotion.items.push_back(
            {row.take_text(0), row.take_text(1), row.take_text(2), row.take_text(3), row.take_text(4)}
        );
    }
    TRY(auto votes, session.run(select_votes, {id}));
    for (SqlRow& row : votes) {
        promotion.votes.push_back(
            {row.integer(0), row.take_text(1), row.integer(2) != 0, row.take_text(3), row.integer(4)}
        );
    }
    return promotion;
}

Result<Promotion> lock_promotion(SqlSession& session, std::int64_t id, Micros now)
{
    CHECK(session.run(lock_by_id, {id}));
    return find_promotion(session, id, now);
}

Result<std::int64_t> add_promotion(
    SqlSession& session,
    const PromotionPolicy& policy,
    const std::string& comment,
    const std::vector<PromotionItem>& items,
    const Actor& actor
)
{
    const auto state = policy.approvals == 0 ? PromotionState::approved : PromotionState::pending;
    TRY(const auto inserted,
        session.run(
            insert_promotion,
            {policy.project_id,
             policy.target_project_id,
             policy.id,
             policy.name,
             name_of(state),
             policy.approvals,
             std::int64_t{policy.self_approval},
             actor.user_id,
             comment,
             actor.at,
             actor.at + policy.lifetime}
        ));
    const auto id = inserted.front().integer(0);
    std::int64_t position = 0;
    for (const auto& item : items) {
        CHECK(session.run(
            insert_item,
            {id, position++, item.repository, item.digest, item.tag, item.target_repository, item.target_tag}
        ));
    }
    TRY(const auto promotion, find_promotion(session, id, actor.at));
    CHECK(record_promotion(session, event_type::promotion_requested, promotion, actor));
    return id;
}

Result<>
vote_on_promotion(SqlSession& session, std::int64_t id, bool approves, const std::string& comment, const Actor& actor)
{
    TRY(auto promotion, lock_promotion(session, id, actor.at));
    if (promotion.state == PromotionState::waiting) {
        return fail(Errc::conflict, "the promotion is waiting for its gates");
    }
    if (promotion.state != PromotionState::pending) {
        return fail(Errc::conflict, "the promotion is " + std::string{name_of(promotion.state)} + " already");
    }
    TRY(const auto oneself, session.run(may_vote_oneself, {id}));
    // Of an automatic one it is who pushed that asked for it.
    const auto caused_by = oneself.front().integer(1);
    const auto asked = promotion.automatic ? caused_by : promotion.requester_id;
    if (approves && asked == actor.user_id && oneself.front().integer(0) == 0) {
        return fail(Errc::denied, "who asks for a promotion can't approve it");
    }
    TRY(const auto inserted, session.run(insert_vote, {id, actor.user_id, std::int64_t{approves}, comment, actor.at}));
    if (inserted.empty()) return fail(Errc::conflict, "you have decided on this promotion already");
    if (!approves) return end_promotion(session, promotion, PromotionState::rejected, "", actor);
    TRY(const auto approvals, session.run(count_approvals, {id}));
    if (approvals.front().integer(0) < promotion.approvals) return {};
    promotion.state = PromotionState::approved;
    CHECK(session.run(set_approved, {id, actor.at + until_looked_at}));
    return record_promotion(session, event_of(promotion.state), promotion, actor);
}

Result<> end_promotion(
    SqlSession& session, const Promotion& promotion, PromotionState state, const std::string& error, const Actor& actor
)
{
    if (!is_open(promotion.state)) {
        return fail(Errc::conflict, "the promotion is " + std::string{name_of(promotion.state)} + " already");
    }
    Promotion ended = promotion;
    ended.state = state;
    ended.error = error;
    CHECK(session.run(set_state, {promotion.id, name_of(state), error, actor.at, actor.user_id}));
    return record_promotion(session, event_of(state), ended, actor);
}

Result<std::int64_t> expire_promotions(SqlSession& session, Micros now)
{
    TRY(const auto rows, session.run(expire_open, {now}));
    return static_cast<std::int64_t>(rows.size());
}

}  // namespace entrepot
