#include "drivers/sql/sql_audit_anchors.hpp"

namespace entrepot {
namespace {

constexpr SqlStatement insert_anchor{
    "INSERT INTO audit_anchors (instance, block, hash, records, at) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (instance, block) DO NOTHING RETURNING block"
};

constexpr SqlStatement delete_earlier{"DELETE FROM audit_anchors WHERE instance = $1 AND block >= $2 AND block < $3"};

constexpr SqlStatement select_anchors{
    "SELECT block, hash, records, at FROM audit_anchors WHERE instance = $1 ORDER BY block"
};

constexpr SqlStatement select_instances{"SELECT DISTINCT instance FROM audit_anchors ORDER BY instance"};

}  // namespace

Task<> SqlAuditAnchors::anchor(std::string instance, AuditAnchor anchor, std::int64_t from)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        TRY(const auto rows,
            session.run(insert_anchor, {instance, anchor.block, anchor.hash, anchor.records, anchor.at}));
        // Where one stands already it may contradict this one: then those before it are evidence.
        if (!rows.empty()) CHECK(session.run(delete_earlier, {instance, from, anchor.block}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Result<std::vector<AuditAnchor>> audit_anchors_in(SqlSession& session, const std::string& instance)
{
    TRY(auto rows, session.run(select_anchors, {instance}));
    std::vector<AuditAnchor> anchors;
    for (auto& row : rows) anchors.push_back({row.integer(0), row.take_text(1), row.integer(2), row.integer(3)});
    return anchors;
}

Task<std::vector<AuditAnchor>> SqlAuditAnchors::anchors(std::string instance)
{
    const auto work = [=](SqlSession& session) { return audit_anchors_in(session, instance); };
    co_return co_await engine_.read(work);
}

Task<std::vector<std::string>> SqlAuditAnchors::instances()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<std::string>> {
        TRY(auto rows, session.run(select_instances));
        std::vector<std::string> names;
        for (auto& row : rows) names.push_back(row.take_text(0));
        return names;
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
