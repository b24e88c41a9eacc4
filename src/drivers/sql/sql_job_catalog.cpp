#include "drivers/sql/sql_job_catalog.hpp"

#include "drivers/sql/job_log_rows.hpp"
#include "drivers/sql/list_statement.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace entrepot {

namespace {

constexpr std::int64_t changed_at_once = 2000;

constexpr const char* columns =
    "j.id, j.kind, j.parent_id, j.subject_id, j.tenant_id, j.project_id, j.priority, j.cause, j.parameters, j.state, "
    "j.not_before, j.attempts, j.most_attempts, j.losses, j.worker, j.stop_requested, j.progress, j.result, "
    "j.log_lines, j.user_id, j.created_at, j.started_at, j.ended_at";
// Tasks have tasks of their own as little as their parents have parents.
#define HAS_TASK(condition) \
    "EXISTS (SELECT 1 FROM jobs c WHERE c.parent_id = j.id AND c.parent_id <> 0 AND " condition ")"
#define OUTCOME                                                                                           \
    "CASE WHEN j.ended_at = 0 OR " HAS_TASK("c.ended_at = 0") " THEN 'running' "                          \
                                                              "WHEN j.state <> 'succeeded' THEN j.state " \
                                                              "WHEN " HAS_TASK("c.state = 'failed'"       \
                                                              ) " THEN 'failed' "                         \
                                                                "WHEN " HAS_TASK("c.state = 'stopped'"    \
                                                                ) " THEN 'stopped' ELSE 'succeeded' END"
constexpr ListColumn fields[] = {
    {"id", "j.id", ListColumn::Type::integer},
    {"kind", "j.kind"},
    {"state", "j.state"},
    {"parent_id", "j.parent_id", ListColumn::Type::integer},
    {"subject_id", "j.subject_id", ListColumn::Type::integer},
    {"tenant_id", "j.tenant_id", ListColumn::Type::integer},
    {"project_id", "j.project_id", ListColumn::Type::integer},
    {"worker", "j.worker"},
    {"trigger", "j.cause"},
    {"outcome", OUTCOME},
    {"creation_time", "j.created_at", ListColumn::Type::time},
};
#undef OUTCOME
#undef HAS_TASK

constexpr SqlStatement lock_job{
    "SELECT state, kind, unique_key, tenant_id, priority FROM jobs WHERE id = $1", "FOR UPDATE"
};
constexpr SqlStatement stop_idle{"UPDATE jobs SET state = 'stopped', ended_at = $2 WHERE id = $1"};
constexpr SqlStatement ask_to_stop{"UPDATE jobs SET stop_requested = 1 WHERE id = $1"};
constexpr SqlStatement select_tasks{
    "SELECT id FROM jobs WHERE parent_id = $1 AND parent_id <> 0 AND ended_at = 0 ORDER BY id"
};
constexpr SqlStatement stop_some_waiting{
    "UPDATE jobs SET state = 'stopped', ended_at = $2 WHERE state = 'waiting' AND id IN "
    "(SELECT id FROM jobs WHERE state = 'waiting' AND kind = $1 ORDER BY priority, turn, id LIMIT $3) RETURNING id"
};
constexpr SqlStatement stop_some_delayed{
    "UPDATE jobs SET state = 'stopped', ended_at = $2 WHERE state = 'delayed' AND id IN "
    "(SELECT id FROM jobs WHERE state = 'delayed' AND kind = $1 ORDER BY not_before LIMIT $3) RETURNING id"
};
constexpr SqlStatement ask_kind_to_stop{"UPDATE jobs SET stop_requested = 1 WHERE state = 'running' AND kind = $1"};

constexpr SqlStatement find_same_key{
    "SELECT id FROM jobs WHERE kind = $1 AND unique_key = $2 AND unique_key <> '' AND ended_at = 0"
};
constexpr SqlStatement start_over{
    "UPDATE jobs SET state = 'waiting', turn = $2, not_before = 0, attempts = 0, losses = 0, stop_requested = 0, "
    "result = '', ended_at = 0 WHERE id = $1"
};

constexpr SqlStatement count_waiting{
    "SELECT w.kind, w.jobs, j.created_at FROM (SELECT kind, COUNT(*) AS jobs, MIN(id) AS oldest FROM jobs "
    "WHERE state = 'waiting' GROUP BY kind) w JOIN jobs j ON j.id = w.oldest"
};
constexpr SqlStatement count_delayed{"SELECT kind, COUNT(*) FROM jobs WHERE state = 'delayed' GROUP BY kind"};
constexpr SqlStatement count_running{"SELECT kind, COUNT(*) FROM jobs WHERE state = 'running' GROUP BY kind"};
constexpr SqlStatement count_failed{"SELECT kind, COUNT(*) FROM jobs WHERE state = 'failed' GROUP BY kind"};
constexpr SqlStatement select_queues{
    "SELECT kind, paused, COALESCE((SELECT j.ended_at FROM jobs j WHERE j.kind = q.kind AND j.ended_at > 0 "
    "AND j.state = 'succeeded' ORDER BY j.ended_at DESC LIMIT 1), 0) FROM job_queues q"
};
constexpr SqlStatement find_paused{"SELECT kind FROM job_queues WHERE kind = $1 AND paused = 1"};
constexpr SqlStatement set_paused{"UPDATE job_queues SET paused = $2, changed_at = $3 WHERE kind = $1 RETURNING kind"};
constexpr SqlStatement select_workers{
    "SELECT worker, host, pid, concurrency, started_at, heartbeat_at FROM job_workers WHERE heartbeat_at >= $1 "
    "ORDER BY started_at, worker"
};

// The end of the last one that is too many.
constexpr SqlStatement find_surplus{
    "SELECT ended_at FROM jobs WHERE kind = $1 AND ended_at > 0 ORDER BY ended_at DESC LIMIT 1 OFFSET $2"
};
constexpr SqlStatement delete_ended{
    "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE kind = $1 AND ended_at > 0 AND ended_at < $2 "
    "ORDER BY ended_at LIMIT $3) RETURNING id"
};
constexpr SqlStatement select_kinds{
    "WITH RECURSIVE found (kind) AS (SELECT MIN(kind) FROM jobs UNION ALL "
    "SELECT (SELECT MIN(j.kind) FROM jobs j WHERE j.kind > found.kind) FROM found WHERE found.kind IS NOT NULL) "
    "SELECT kind FROM found WHERE kind IS NOT NULL"
};

std::unexpected<Error> no_such_job()
{
    return fail(Errc::not_found, "there is no such job");
}

Result<Job> job_of(SqlRow& row)
{
    TRY(const auto state, job_state_of(row.text(9)));
    return Job{
        .id = row.integer(0),
        .kind = row.take_text(1),
        .parent_id = row.integer(2),
        .subject_id = row.integer(3),
        .tenant_id = row.integer(4),
        .project_id = row.integer(5),
        .priority = static_cast<std::int32_t>(row.integer(6)),
        .trigger = row.take_text(7),
        .parameters = row.take_text(8),
        .state = state,
        .not_before = row.integer(10),
        .attempts = static_cast<std::int32_t>(row.integer(11)),
        .most_attempts = static_cast<std::int32_t>(row.integer(12)),
        .losses = static_cast<std::int32_t>(row.integer(13)),
        .worker = row.take_text(14),
        .stop_requested = row.integer(15) != 0,
        .progress = row.take_text(16),
        .result = row.take_text(17),
        .log_lines = row.integer(18),
        .user_id = row.integer(19),
        .created_at = row.integer(20),
        .started_at = row.integer(21),
        .ended_at = row.integer(22),
    };
}

// A state as a literal, so that the index of such jobs serves.
const char* condition_on(JobState state) noexcept
{
    switch (state) {
        case JobState::waiting: return "j.state = 'waiting'";
        case JobState::delayed: return "j.state = 'delayed'";
        case JobState::running: return "j.state = 'running'";
        case JobState::succeeded: return "j.state = 'succeeded'";
        case JobState::failed: return "j.state = 'failed'";
        case JobState::stopped: break;
    }
    return "j.state = 'stopped'";
}

bool asks_for_one_state(const ListCondition& condition)
{
    return condition.field == "state" && condition.kind == ListCondition::Kind::equal && condition.values.size() == 1;
}

Result<std::vector<JobTaskCounts>> count_tasks(SqlSession& session, const std::vector<std::int64_t>& parents)
{
    std::vector<JobTaskCounts> all;
    if (parents.empty()) return all;
    std::string wanted;
    std::vector<SqlParameter> parameters;
    for (const auto id : parents) {
        parameters.emplace_back(id);
        wanted += (wanted.empty() ? "$" : ", $") + std::to_string(parameters.size());
    }
    TRY(const auto rows,
        session.run_once(
            "SELECT parent_id, state, COUNT(*), MAX(ended_at) FROM jobs WHERE parent_id <> 0 AND parent_id IN (" +
                wanted + ") GROUP BY parent_id, state ORDER BY parent_id",
            parameters
        ));
    for (const auto& row : rows) {
        if (all.empty() || all.back().parent_id != row.integer(0)) all.push_back({.parent_id = row.integer(0)});
        auto& counts = all.back();
        TRY(const auto state, job_state_of(row.text(1)));
        const bool ended = state == JobState::succeeded || state == JobState::failed || state == JobState::stopped;
        auto& kind = state == JobState::succeeded ? counts.succeeded
                     : state == JobState::failed  ? counts.failed
                     : state == JobState::stopped ? counts.stopped
                                                  : counts.unfinished;
        kind += row.integer(2);
        if (ended) counts.last_end = std::max(counts.last_end, row.integer(3));
    }
    return all;
}

Result<ListPage<Job>> list_jobs(SqlSession& session, ListQuery query)
{
    ListStatement statement{columns, "jobs j", fields};
    for (const auto& condition : query.conditions) {
        if (!asks_for_one_state(condition)) continue;
        const auto state = job_state_of(condition.values.front());
        if (!state) return fail(Errc::bad_request, "no job is ever \"" + condition.values.front() + "\"");
        statement.where(condition_on(*state));
    }
    std::erase_if(query.conditions, asks_for_one_state);
    CHECK(statement.apply(query));
    statement.order_by("j.id DESC");
    return statement.list(session, job_of);
}

Result<Job> find_job(SqlSession& session, std::int64_t id)
{
    ListStatement statement{columns, "jobs j", fields};
    statement.where("j.id = ?", {id});
    TRY(auto rows, statement.page(session));
    if (rows.empty()) return no_such_job();
    return job_of(rows.front());
}

Result<JobState> stop_job(SqlSession& session, std::int64_t id, Micros now)
{
    TRY(const auto rows, session.run(lock_job, {id}));
    if (rows.empty()) return no_such_job();
    TRY(const auto state, job_state_of(rows.front().text(0)));
    switch (state) {
        case JobState::waiting:
        case JobState::delayed: CHECK(session.run(stop_idle, {id, now})); return JobState::stopped;
        case JobState::running: CHECK(session.run(ask_to_stop, {id})); return JobState::running;
        default: return fail(Errc::precondition_failed, "the job has ended");
    }
}

Result<> stop_tasks_of(SqlSession& session, std::int64_t parent_id, Micros now)
{
    TRY(const auto tasks, session.run(select_tasks, {parent_id}));
    for (const auto& task : tasks) {
        // One that ended meanwhile needs no stopping.
        const auto stopped = stop_job(session, task.integer(0), now);
        if (!stopped && stopped.error().code() != Errc::precondition_failed &&
            stopped.error().code() != Errc::not_found)
            return std::unexpected{stopped.error()};
    }
    return {};
}

// The kind of the job.
Result<std::string> retry_job(SqlSession& session, std::int64_t id)
{
    TRY(auto rows, session.run(lock_job, {id}));
    if (rows.empty()) return no_such_job();
    SqlRow& row = rows.front();
    TRY(const auto state, job_state_of(row.text(0)));
    if (state != JobState::failed && state != JobState::stopped) {
        return fail(Errc::precondition_failed, "only a job that failed or was stopped can be run again");
    }
    TRY(const auto same, session.run(find_same_key, {row.text(1), row.text(2)}));
    if (!same.empty()) {
        return fail(Errc::conflict, "job " + std::to_string(same.front().integer(0)) + " does this already");
    }
    TRY(const auto turn,
        take_turns(session, row.text(1), row.integer(3), static_cast<std::int32_t>(row.integer(4)), 1));
    CHECK(session.run(start_over, {id, turn}));
    return row.take_text(1);
}

Result<std::vector<JobQueueState>> queue_states(SqlSession& session)
{
    std::map<std::string, JobQueueState> queues;
    TRY(const auto waiting, session.run(count_waiting));
    for (const auto& row : waiting) {
        queues[row.text(0)].waiting = row.integer(1);
        queues[row.text(0)].oldest_waiting = row.integer(2);
    }
    TRY(const auto delayed, session.run(count_delayed));
    for (const auto& row : delayed) queues[row.text(0)].delayed = row.integer(1);
    TRY(const auto running, session.run(count_running));
    for (const auto& row : running) queues[row.text(0)].running = row.integer(1);
    TRY(const auto failed, session.run(count_failed));
    for (const auto& row : failed) queues[row.text(0)].failed = row.integer(1);
    TRY(const auto known, session.run(select_queues));
    for (const auto& row : known) {
        queues[row.text(0)].paused = row.integer(1) != 0;
        queues[row.text(0)].last_success = row.integer(2);
    }
    std::vector<JobQueueState> states;
    for (auto& [kind, state] : queues) {
        state.kind = kind;
        states.push_back(std::move(state));
    }
    return states;
}

Result<std::int64_t> remove_some(SqlSession& session, const std::string& kind, Micros before, std::int64_t keep)
{
    TRY(const auto surplus, session.run(find_surplus, {kind, keep}));
    if (!surplus.empty()) before = std::max(before, surplus.front().integer(0) + 1);
    TRY(const auto removed, session.run(delete_ended, {kind, before, changed_at_once}));
    return static_cast<std::int64_t>(removed.size());
}

}  // namespace

Task<Job> SqlJobCatalog::find(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return find_job(session, id); };
    co_return co_await engine_.read(work);
}

Task<ListPage<Job>> SqlJobCatalog::list(ListQuery query)
{
    const auto work = [query = std::move(query)](SqlSession& session) { return list_jobs(session, query); };
    co_return co_await engine_.read(work);
}

Task<std::vector<JobLine>> SqlJobCatalog::log(std::int64_t id)
{
    const auto work = [id](SqlSession& session) -> Result<std::vector<JobLine>> {
        CHECK(find_job(session, id));
        return job_lines(session, id);
    };
    co_return co_await engine_.read(work);
}

Task<std::vector<JobTaskCounts>> SqlJobCatalog::task_counts(std::vector<std::int64_t> parents)
{
    const auto work = [parents = std::move(parents)](SqlSession& session) { return count_tasks(session, parents); };
    co_return co_await engine_.read(work);
}

Task<JobState> SqlJobCatalog::stop(std::int64_t id, Micros now)
{
    const auto work = [id, now](SqlSession& session) { return stop_job(session, id, now); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlJobCatalog::stop_tasks(std::int64_t parent_id, Micros now)
{
    const auto work = [parent_id, now](SqlSession& session) { return stop_tasks_of(session, parent_id, now); };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<std::int64_t> SqlJobCatalog::stop_waiting(std::string kind, Micros now)
{
    const auto work = [kind = std::move(kind), now](SqlSession& session) -> Result<std::int64_t> {
        TRY(const auto waiting, session.run(stop_some_waiting, {kind, now, changed_at_once}));
        TRY(const auto delayed, session.run(stop_some_delayed, {kind, now, changed_at_once}));
        return static_cast<std::int64_t>(waiting.size() + delayed.size());
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlJobCatalog::stop_running(std::string kind)
{
    const auto work = [kind = std::move(kind)](SqlSession& session) -> Result<> {
        CHECK(session.run(ask_kind_to_stop, {kind}));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, work);
}

Task<> SqlJobCatalog::retry(std::int64_t id)
{
    const auto work = [id](SqlSession& session) { return retry_job(session, id); };
    CO_TRY(const auto kind, co_await engine_.write(Durability::durable, work));
    bell_.ring(kind);
    co_return Result<>{};
}

Task<std::vector<JobQueueState>> SqlJobCatalog::queues()
{
    co_return co_await engine_.read(queue_states);
}

Task<std::vector<JobWorker>> SqlJobCatalog::workers(Micros since)
{
    const auto work = [since](SqlSession& session) -> Result<std::vector<JobWorker>> {
        TRY(auto rows, session.run(select_workers, {since}));
        std::vector<JobWorker> workers;
        for (auto& row : rows) {
            workers.push_back(
                {row.take_text(0), row.take_text(1), row.integer(2), row.integer(3), row.integer(4), row.integer(5)}
            );
        }
        return workers;
    };
    co_return co_await engine_.read(work);
}

Task<> SqlJobCatalog::pause(std::string kind, bool paused, Micros now)
{
    const auto work = [kind, paused, now](SqlSession& session) -> Result<> {
        TRY(const auto changed, session.run(set_paused, {kind, std::int64_t{paused}, now}));
        if (changed.empty()) return fail(Errc::not_found, "there is no queue of such jobs");
        return {};
    };
    CO_CHECK(co_await engine_.write(Durability::durable, work));
    if (!paused) bell_.ring(kind);
    co_return Result<>{};
}

Task<bool> SqlJobCatalog::is_paused(std::string kind)
{
    const auto work = [kind = std::move(kind)](SqlSession& session) -> Result<bool> {
        TRY(const auto rows, session.run(find_paused, {kind}));
        return !rows.empty();
    };
    co_return co_await engine_.read(work);
}

Task<std::int64_t> SqlJobCatalog::remove_ended(std::string kind, Micros before, std::int64_t keep)
{
    const auto work = [kind = std::move(kind), before, keep](SqlSession& session) {
        return remove_some(session, kind, before, keep);
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<std::vector<std::string>> SqlJobCatalog::kinds()
{
    const auto work = [](SqlSession& session) -> Result<std::vector<std::string>> {
        TRY(auto rows, session.run(select_kinds));
        std::vector<std::string> kinds;
        for (auto& row : rows) kinds.push_back(row.take_text(0));
        return kinds;
    };
    co_return co_await engine_.read(work);
}

}  // namespace entrepot
