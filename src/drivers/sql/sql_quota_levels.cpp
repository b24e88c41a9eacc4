#include "drivers/sql/event_rows.hpp"
#include "drivers/sql/project_budget.hpp"
#include "drivers/sql/sql_quotas.hpp"

#include <algorithm>
#include <map>

namespace entrepot {

namespace {

// What a level is of, as rows of quota_levels say it.
enum class Holder : std::int64_t { project, tenant };

constexpr SqlStatement fullness_of_projects{
    "SELECT p.id, p.tenant_id, p.name, p.quota_bytes, " PROJECT_BYTES ", p.quota_artifacts, " PROJECT_ARTIFACTS
    ", COALESCE(l.percent, 0) FROM projects p LEFT JOIN quota_levels l ON l.kind = 0 AND l.id = p.id "
    "WHERE p.quota_bytes >= 0 OR p.quota_artifacts >= 0 OR l.id IS NOT NULL"
};
constexpr SqlStatement fullness_of_tenants{
    "SELECT t.id, t.id, t.name, t.quota_bytes, CAST(COALESCE(SUM(" PROJECT_BYTES "), 0) AS BIGINT), "
    "t.quota_artifacts, CAST(COALESCE(SUM(" PROJECT_ARTIFACTS "), 0) AS BIGINT), COALESCE(l.percent, 0) "
    "FROM tenants t LEFT JOIN projects p ON p.tenant_id = t.id LEFT JOIN quota_levels l ON l.kind = 1 AND l.id = t.id "
    "WHERE t.quota_bytes >= 0 OR t.quota_artifacts >= 0 OR l.id IS NOT NULL "
    "GROUP BY t.id, t.name, t.quota_bytes, t.quota_artifacts, l.percent"
};

// One of several instances finds the level as it was read.
constexpr SqlStatement reach_first{"INSERT INTO quota_levels (kind, id, percent) VALUES ($1, $2, $3) "
                                   "ON CONFLICT (kind, id) DO NOTHING RETURNING id"};
constexpr SqlStatement reach_next{
    "UPDATE quota_levels SET percent = $3 WHERE kind = $1 AND id = $2 AND percent = $4 RETURNING id"
};
constexpr SqlStatement forget_level{"DELETE FROM quota_levels WHERE kind = $1 AND id = $2 AND percent = $3"};
constexpr SqlStatement forget_gone{
    "DELETE FROM quota_levels WHERE (kind = 0 AND NOT EXISTS (SELECT 1 FROM projects p WHERE p.id = quota_levels.id)) "
    "OR (kind = 1 AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = quota_levels.id))"
};

constexpr SqlStatement find_project{"SELECT id, quota_bytes, " PROJECT_BYTES ", quota_artifacts, " PROJECT_ARTIFACTS
                                    " FROM projects p WHERE p.name = $1"};

struct Amount {
    std::int64_t limit = -1;
    std::int64_t used = 0;

    // In percent, rounded down; 0 without a limit.
    std::int64_t fullness() const noexcept
    {
        if (limit < 0) return 0;
        if (limit == 0) return 100;
        return static_cast<std::int64_t>(static_cast<double>(used) * 100.0 / static_cast<double>(limit));
    }
};

struct Fullness {
    Holder holder = Holder::project;
    std::int64_t id = 0;
    std::int64_t tenant_id = 0;
    std::string name;
    Amount bytes;
    Amount artifacts;
    std::int64_t told = 0;     // the level, in percent
    std::int64_t reached = 0;  // the level, in percent; 0: none
};

Result<> read_fullness(
    SqlSession& session,
    const SqlStatement& statement,
    Holder holder,
    const std::vector<std::int64_t>& levels,
    std::vector<Fullness>& into
)
{
    TRY(auto rows, session.run(statement));
    for (SqlRow& row : rows) {
        Fullness found;
        found.holder = holder;
        found.id = row.integer(0);
        found.tenant_id = row.integer(1);
        found.name = row.take_text(2);
        found.bytes = {row.integer(3), row.integer(4)};
        found.artifacts = {row.integer(5), row.integer(6)};
        found.told = row.integer(7);
        const auto percent = std::max(found.bytes.fullness(), found.artifacts.fullness());
        for (const auto level : levels) {
            if (percent >= level) found.reached = level;
        }
        into.push_back(std::move(found));
    }
    return {};
}

boost::json::object amounts_of(const Amount& bytes, const Amount& artifacts)
{
    return {
        {"quota_bytes", bytes.limit},
        {"used_bytes", bytes.used},
        {"quota_artifacts", artifacts.limit},
        {"used_artifacts", artifacts.used},
    };
}

Result<> record_warning(SqlSession& session, const Fullness& full, Micros now)
{
    const bool of_project = full.holder == Holder::project;
    auto event = event_in_project(event_type::quota_warned, {0, now}, of_project ? full.id : 0);
    event.tenant_id = full.tenant_id;
    auto details = amounts_of(full.bytes, full.artifacts);
    details["level"] = full.reached;
    details["of"] = of_project ? "project" : "tenant";
    details["name"] = full.name;
    // As Harbor's receivers look for it.
    const auto& fuller = full.bytes.fullness() >= full.artifacts.fullness() ? full.bytes : full.artifacts;
    details["Details"] = "quota usage reach " + std::to_string(full.reached) + "%: " + std::to_string(fuller.used) +
                         " of " + std::to_string(fuller.limit) +
                         (&fuller == &full.bytes ? " bytes are used" : " artifacts are there");
    set_details(event, details);
    return record_event(session, event);
}

Result<> tell(SqlSession& session, const Fullness& full, Micros now)
{
    const auto kind = static_cast<std::int64_t>(full.holder);
    if (full.reached == 0) {
        CHECK(session.run(forget_level, {kind, full.id, full.told}));
        return {};
    }
    TRY(const auto ours,
        full.told == 0 ? session.run(reach_first, {kind, full.id, full.reached})
                       : session.run(reach_next, {kind, full.id, full.reached, full.told}));
    if (ours.empty() || full.reached < full.told) return {};
    return record_warning(session, full, now);
}

std::vector<QuotaLevel> count_by_level(const std::vector<Fullness>& all, const std::vector<std::int64_t>& levels)
{
    std::vector<QuotaLevel> counts;
    for (const auto level : levels) {
        QuotaLevel count{.percent = level};
        for (const auto& full : all) {
            if (full.reached == level) ++(full.holder == Holder::project ? count.projects : count.tenants);
        }
        counts.push_back(count);
    }
    return counts;
}

}  // namespace

Task<std::vector<QuotaLevel>> SqlQuotas::warn(std::vector<std::int64_t> levels, Micros now)
{
    const auto look = [levels](SqlSession& session) -> Result<std::vector<Fullness>> {
        std::vector<Fullness> all;
        CHECK(read_fullness(session, fullness_of_projects, Holder::project, levels, all));
        CHECK(read_fullness(session, fullness_of_tenants, Holder::tenant, levels, all));
        return all;
    };
    CO_TRY(const auto all, co_await engine_.read(look));
    std::vector<Fullness> changed;
    std::ranges::copy_if(all, std::back_inserter(changed), [](const auto& full) { return full.told != full.reached; });
    if (!changed.empty()) {
        const auto write = [changed, now](SqlSession& session) -> Result<> {
            for (const auto& full : changed) CHECK(tell(session, full, now));
            CHECK(session.run(forget_gone));
            return {};
        };
        CO_CHECK(co_await engine_.write(Durability::durable, write));
    }
    co_return count_by_level(all, levels);
}

Task<> SqlQuotas::note(std::vector<QuotaRefusals> refusals)
{
    const auto work = [refusals = std::move(refusals)](SqlSession& session) -> Result<> {
        for (const auto& refused : refusals) {
            TRY(const auto rows, session.run(find_project, {refused.project}));
            if (rows.empty()) continue;
            const SqlRow& row = rows.front();
            auto event = event_in_project(event_type::quota_exceeded, {0, refused.last}, row.integer(0));
            auto details = amounts_of({row.integer(1), row.integer(2)}, {row.integer(3), row.integer(4)});
            details["refused"] = refused.count;
            details["Details"] = refused.message;
            set_details(event, details);
            CHECK(record_event(session, event));
        }
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

}  // namespace entrepot
