#include "drivers/sql/tenant_rows.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace entrepot {
namespace {

constexpr SqlStatement select_for_lock{"SELECT id FROM tenants WHERE id = $1", "FOR UPDATE"};
constexpr SqlStatement select_member{"SELECT user_id FROM tenant_members WHERE tenant_id = $1 AND user_id = $2"};
constexpr SqlStatement select_quota{"SELECT quota_bytes, quota_artifacts FROM tenants WHERE id = $1"};
constexpr SqlStatement select_limits{"SELECT name, quota_bytes, quota_artifacts FROM projects WHERE tenant_id = $1 AND "
                                     "(quota_bytes >= 0 OR quota_artifacts >= 0) ORDER BY name"};

constexpr std::size_t most_named = 20;

struct Limit {
    std::string project;
    std::int64_t amount = 0;
};

Result<> check_sum(std::vector<Limit> limits, std::int64_t allowed, std::string_view unit)
{
    if (allowed < 0) return {};
    std::int64_t sum = 0;
    for (const auto& limit : limits) {
        if (__builtin_add_overflow(sum, limit.amount, &sum)) sum = std::numeric_limits<std::int64_t>::max();
    }
    if (sum <= allowed) return {};
    std::ranges::sort(limits, std::ranges::greater{}, &Limit::amount);
    std::string names;
    for (std::size_t i = 0; i < std::min(limits.size(), most_named); ++i) {
        names += (i > 0 ? ", " : "") + limits[i].project + " (" + std::to_string(limits[i].amount) + ")";
    }
    if (limits.size() > most_named) names += " and " + std::to_string(limits.size() - most_named) + " more";
    return fail(
        Errc::unprocessable,
        "the tenant may use " + std::to_string(allowed) + " " + std::string{unit} + ", but its projects are given " +
            std::to_string(sum) + ": " + names
    );
}

}  // namespace

Result<> lock_tenant(SqlSession& session, std::int64_t id)
{
    TRY(const auto rows, session.run(select_for_lock, {id}));
    if (rows.empty()) return fail(Errc::not_found, "there is no such tenant");
    return {};
}

Result<> expect_tenant_member(SqlSession& session, std::int64_t tenant_id, std::int64_t user_id)
{
    TRY(const auto rows, session.run(select_member, {tenant_id, user_id}));
    if (rows.empty()) return fail(Errc::not_found, "the tenant has no such member");
    return {};
}

Result<> check_tenant_allocation(SqlSession& session, std::int64_t tenant_id)
{
    TRY(const auto tenant, session.run(select_quota, {tenant_id}));
    if (tenant.empty()) return fail(Errc::not_found, "there is no such tenant");
    TRY(auto rows, session.run(select_limits, {tenant_id}));
    std::vector<Limit> bytes;
    std::vector<Limit> artifacts;
    for (auto& row : rows) {
        if (row.integer(1) >= 0) bytes.push_back({row.text(0), row.integer(1)});
        if (row.integer(2) >= 0) artifacts.push_back({row.text(0), row.integer(2)});
    }
    CHECK(check_sum(std::move(bytes), tenant.front().integer(0), "bytes"));
    return check_sum(std::move(artifacts), tenant.front().integer(1), "artifacts");
}

}  // namespace entrepot
