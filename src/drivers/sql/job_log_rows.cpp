#include "drivers/sql/job_log_rows.hpp"

namespace entrepot {

namespace {

// The first lines stay, and the newest: $2 is the number of the last line.
constexpr SqlStatement count_lines{
    "UPDATE jobs SET log_lines = log_lines + $3 WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING log_lines"
};
constexpr SqlStatement insert_line{"INSERT INTO job_logs (job_id, seq, at, line) VALUES ($1, $2, $3, $4)"};
constexpr SqlStatement delete_between{"DELETE FROM job_logs WHERE job_id = $1 AND seq > $2 AND seq <= $3"};
constexpr SqlStatement select_lines{"SELECT seq, at, line FROM job_logs WHERE job_id = $1 ORDER BY seq"};

}  // namespace

Result<bool> append_job_lines(SqlSession& session, const JobLease& lease, const std::vector<JobLine>& lines)
{
    const auto count = static_cast<std::int64_t>(lines.size());
    TRY(const auto counted, session.run(count_lines, {lease.id, lease.fence, count}));
    if (counted.empty()) return false;
    const auto last = counted.front().integer(0);
    auto number = last - count;
    for (const auto& line : lines) {
        ++number;
        if (number > JobCatalog::first_lines && number <= last - JobCatalog::newest_lines) continue;
        CHECK(session.run(insert_line, {lease.id, number, line.at, line.text}));
    }
    if (last > JobCatalog::first_lines + JobCatalog::newest_lines) {
        CHECK(session.run(delete_between, {lease.id, JobCatalog::first_lines, last - JobCatalog::newest_lines}));
    }
    return true;
}

Result<std::vector<JobLine>> job_lines(SqlSession& session, std::int64_t job_id)
{
    TRY(auto rows, session.run(select_lines, {job_id}));
    std::vector<JobLine> lines;
    lines.reserve(rows.size());
    for (auto& row : rows) lines.push_back({row.integer(1), row.take_text(2), row.integer(0)});
    return lines;
}

}  // namespace entrepot
