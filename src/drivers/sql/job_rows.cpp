#include "drivers/sql/job_rows.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace entrepot {

namespace {

constexpr std::size_t most_parameters = 64 << 10;

constexpr std::array<std::pair<JobState, std::string_view>, 6> states{{
    {JobState::waiting, "waiting"},
    {JobState::delayed, "delayed"},
    {JobState::running, "running"},
    {JobState::succeeded, "succeeded"},
    {JobState::failed, "failed"},
    {JobState::stopped, "stopped"},
}};

constexpr SqlStatement insert_job{
    "INSERT INTO jobs (kind, parent_id, subject_id, tenant_id, project_id, priority, turn, cause, parameters, "
    "unique_key, state, not_before, most_attempts, user_id, created_at) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
    "ON CONFLICT (kind, unique_key) WHERE unique_key <> '' AND ended_at = 0 DO NOTHING RETURNING id"
};

constexpr SqlStatement find_unfinished{
    "SELECT id FROM jobs WHERE kind = $1 AND unique_key = $2 AND unique_key <> '' AND ended_at = 0"
};

constexpr SqlStatement select_virtual_time{
    "SELECT COALESCE("
    "(SELECT MIN(turn) FROM jobs WHERE state = 'waiting' AND kind = $1 AND priority = $2), "
    "(SELECT MAX(last_turn) FROM job_turns WHERE kind = $1 AND priority = $2), 0)"
};

constexpr SqlStatement advance_turn{
    "INSERT INTO job_turns (kind, tenant_id, priority, last_turn) VALUES ($1, $2, $3, $4 + $5) "
    "ON CONFLICT (kind, priority, tenant_id) DO UPDATE SET last_turn = "
    "CASE WHEN job_turns.last_turn > $4 THEN job_turns.last_turn + $5 ELSE $4 + $5 END RETURNING last_turn"
};

// One that ends while we look is asked for once more.
constexpr int most_looks = 5;

Result<std::int64_t> add_job(SqlSession& session, const NewJob& job, std::int64_t turn)
{
    const auto state = text_of(job.not_before > job.actor.at ? JobState::delayed : JobState::waiting);
    for (int i = 0; i < most_looks; ++i) {
        TRY(const auto added,
            session.run(
                insert_job,
                {job.kind,
                 job.parent_id,
                 job.subject_id,
                 job.tenant_id,
                 job.project_id,
                 std::int64_t{job.priority},
                 turn,
                 job.trigger,
                 job.parameters,
                 job.unique_key,
                 state,
                 job.not_before,
                 std::int64_t{job.most_attempts},
                 job.actor.user_id,
                 job.actor.at}
            ));
        if (!added.empty()) return added.front().integer(0);
        TRY(const auto found, session.run(find_unfinished, {job.kind, job.unique_key}));
        if (!found.empty()) return found.front().integer(0);
    }
    return fail(Errc::unavailable, "jobs of one key come and go too fast");
}

}  // namespace

std::string_view text_of(JobState state) noexcept
{
    return std::ranges::find(states, state, &std::pair<JobState, std::string_view>::first)->second;
}

Result<JobState> job_state_of(std::string_view text)
{
    const auto* found = std::ranges::find(states, text, &std::pair<JobState, std::string_view>::second);
    if (found == states.end()) return fail(Errc::corrupt, "a job has an unknown state");
    return found->first;
}

Result<std::int64_t> virtual_time(SqlSession& session, const std::string& kind, std::int32_t priority)
{
    TRY(const auto rows, session.run(select_virtual_time, {kind, std::int64_t{priority}}));
    return rows.front().integer(0);
}

Result<std::int64_t> take_turns(
    SqlSession& session, const std::string& kind, std::int64_t tenant_id, std::int32_t priority, std::int64_t count
)
{
    TRY(const auto now, virtual_time(session, kind, priority));
    TRY(const auto rows, session.run(advance_turn, {kind, tenant_id, std::int64_t{priority}, now - 1, count}));
    return rows.front().integer(0) - count + 1;
}

Result<std::vector<std::int64_t>> add_jobs(SqlSession& session, const std::vector<NewJob>& jobs)
{
    // In one order, so that two transactions don't wait for each other.
    using Line = std::tuple<std::string, std::int32_t, std::int64_t>;
    std::map<Line, std::int64_t> turns;
    for (const auto& job : jobs) {
        if (job.parameters.size() > most_parameters) {
            return fail(Errc::payload_too_large, "the parameters of a job are longer than 64 KiB");
        }
        ++turns[{job.kind, job.priority, job.tenant_id}];
    }
    for (auto& [line, next] : turns) {
        const auto& [kind, priority, tenant_id] = line;
        TRY(next, take_turns(session, kind, tenant_id, priority, next));
    }
    std::vector<std::int64_t> ids;
    ids.reserve(jobs.size());
    for (const auto& job : jobs) {
        TRY(const auto id, add_job(session, job, turns[{job.kind, job.priority, job.tenant_id}]++));
        ids.push_back(id);
    }
    return ids;
}

void JobBell::listen(std::function<void(const std::string&)> listener)
{
    const std::lock_guard lock{mutex_};
    listener_ = std::move(listener);
}

void JobBell::ring(const std::vector<NewJob>& jobs)
{
    std::set<std::string> kinds;
    for (const auto& job : jobs) {
        if (job.not_before <= job.actor.at) kinds.insert(job.kind);
    }
    for (const auto& kind : kinds) ring(kind);
}

void JobBell::ring(const std::string& kind)
{
    const std::lock_guard lock{mutex_};
    if (listener_) listener_(kind);
}

}  // namespace entrepot
