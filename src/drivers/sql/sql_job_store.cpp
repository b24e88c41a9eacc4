#include "drivers/sql/sql_job_store.hpp"

#include "drivers/sql/job_end_events.hpp"
#include "drivers/sql/job_log_rows.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace entrepot {

namespace {

constexpr std::int64_t recovered_at_once = 2000;
constexpr std::int64_t most_losses = 10;
constexpr Micros worker_is_remembered = 86'400'000'000;
constexpr std::string_view lost_too_often = "its worker was lost too often";

// From kind to kind along the index, however many jobs each has.
constexpr SqlStatement select_waiting_kinds{
    "WITH RECURSIVE found (kind) AS (SELECT MIN(kind) FROM jobs WHERE state = 'waiting' UNION ALL "
    "SELECT (SELECT MIN(j.kind) FROM jobs j WHERE j.state = 'waiting' AND j.kind > found.kind) FROM found "
    "WHERE found.kind IS NOT NULL) SELECT kind FROM found WHERE kind IS NOT NULL"
};

constexpr SqlStatement select_times{"SELECT (SELECT MIN(not_before) FROM jobs WHERE state = 'delayed'), "
                                    "(SELECT MIN(lease_until) FROM jobs WHERE state = 'running')"};

constexpr SqlStatement select_to_stop{
    "SELECT id FROM jobs WHERE state = 'running' AND worker = $1 AND stop_requested = 1"
};

constexpr SqlStatement select_paused{"SELECT kind FROM job_queues WHERE paused = 1"};

constexpr SqlStatement select_next{
    "SELECT id, priority FROM jobs WHERE state = 'waiting' AND kind = $1 ORDER BY priority, turn, id LIMIT $2",
    "FOR UPDATE SKIP LOCKED"
};

constexpr SqlStatement lease_job{
    "UPDATE jobs SET state = 'running', fence = fence + 1, attempts = attempts + 1, worker = $2, lease_until = $3, "
    "started_at = CASE WHEN started_at = 0 THEN $4 ELSE started_at END WHERE id = $1 "
    "RETURNING fence, kind, subject_id, parameters, checkpoint, attempts, most_attempts"
};

#define ENDED_COLUMNS "id, kind, subject_id, tenant_id, project_id, user_id, cause, parameters, result, ended_at"

constexpr SqlStatement end_job{"UPDATE jobs SET state = $3, result = $4, ended_at = $5, lease_until = 0, worker = '' "
                               "WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING " ENDED_COLUMNS};

// Unless it was to stop, which end_job does then.
constexpr SqlStatement put_back{
    "UPDATE jobs SET state = $3, not_before = $4, attempts = attempts - $5, result = $6, lease_until = 0, worker = '' "
    "WHERE id = $1 AND fence = $2 AND state = 'running' AND stop_requested = 0 RETURNING id"
};

constexpr SqlStatement insert_worker{
    "INSERT INTO job_workers (worker, host, pid, concurrency, started_at, heartbeat_at) "
    "VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (worker) DO NOTHING"
};
constexpr SqlStatement delete_old_workers{"DELETE FROM job_workers WHERE heartbeat_at < $1"};
constexpr SqlStatement insert_queue{
    "INSERT INTO job_queues (kind, paused, changed_at) VALUES ($1, 0, $2) ON CONFLICT (kind) DO NOTHING"
};
constexpr SqlStatement note_heartbeat{"UPDATE job_workers SET heartbeat_at = $2 WHERE worker = $1"};
constexpr SqlStatement renew_leases{
    "UPDATE jobs SET lease_until = $2 WHERE state = 'running' AND worker = $1 RETURNING id, fence"
};

constexpr SqlStatement save_checkpoint{
    "UPDATE jobs SET checkpoint = $3, progress = $4 WHERE id = $1 AND fence = $2 AND state = 'running' RETURNING id"
};

constexpr SqlStatement select_expired{
    "SELECT id, kind, priority, turn, losses, stop_requested FROM jobs WHERE state = 'running' AND lease_until < $1 "
    "ORDER BY lease_until LIMIT $2",
    "FOR UPDATE SKIP LOCKED"
};

constexpr SqlStatement select_due{
    "SELECT id, kind, priority, turn FROM jobs WHERE state = 'delayed' AND not_before <= $1 "
    "ORDER BY not_before LIMIT $2",
    "FOR UPDATE SKIP LOCKED"
};

constexpr SqlStatement end_lost{
    "UPDATE jobs SET state = $2, result = $3, ended_at = $4, losses = losses + 1, lease_until = 0, worker = '' "
    "WHERE id = $1 RETURNING " ENDED_COLUMNS
};

constexpr SqlStatement wait_again{
    "UPDATE jobs SET state = 'waiting', turn = $2, losses = losses + $3, attempts = attempts - $3, lease_until = 0, "
    "worker = '' WHERE id = $1"
};

std::unexpected<Error> lease_is_gone()
{
    return fail(Errc::conflict, "another worker has this job now");
}

Result<> tell_end(SqlSession& session, SqlRow& row, JobState state)
{
    Job job;
    job.id = row.integer(0);
    job.kind = row.take_text(1);
    job.subject_id = row.integer(2);
    job.tenant_id = row.integer(3);
    job.project_id = row.integer(4);
    job.user_id = row.integer(5);
    job.trigger = row.take_text(6);
    job.parameters = row.take_text(7);
    job.result = row.take_text(8);
    job.ended_at = row.integer(9);
    job.state = state;
    return record_job_end(session, job);
}

// False: somebody else has it, or ended it.
Result<bool> end(SqlSession& session, const JobOutcome& outcome, JobState state, Micros now)
{
    const auto& lease = outcome.lease;
    TRY(auto ended, session.run(end_job, {lease.id, lease.fence, text_of(state), outcome.result, now}));
    if (ended.empty()) return false;
    CHECK(tell_end(session, ended.front(), state));
    return true;
}

Result<bool> write_outcome(SqlSession& session, const JobOutcome& outcome, Micros now)
{
    const auto& lease = outcome.lease;
    if (!outcome.lines.empty()) {
        TRY(const bool held, append_job_lines(session, lease, outcome.lines));
        if (!held) return false;
    }
    switch (outcome.kind) {
        case JobOutcome::Kind::succeeded: return end(session, outcome, JobState::succeeded, now);
        case JobOutcome::Kind::stopped: return end(session, outcome, JobState::stopped, now);
        case JobOutcome::Kind::failed: return end(session, outcome, JobState::failed, now);
        case JobOutcome::Kind::again:
        case JobOutcome::Kind::back: break;
    }
    // Never straight to the waiting ones: they get their turn where the others are by then.
    const std::int64_t uncounted = outcome.kind == JobOutcome::Kind::back ? 1 : 0;
    TRY(const auto back,
        session.run(
            put_back, {lease.id, lease.fence, text_of(JobState::delayed), outcome.not_before, uncounted, outcome.result}
        ));
    if (!back.empty()) return true;
    return end(session, outcome, JobState::stopped, now);
}

// Ids of waiting jobs in the order in which they are to run.
Result<std::vector<std::int64_t>> next_jobs(SqlSession& session, const std::vector<JobWant>& wants, std::int64_t most)
{
    TRY(const auto paused, session.run(select_paused));
    std::multimap<std::int64_t, std::int64_t> by_priority;
    for (const auto& want : wants) {
        if (std::ranges::any_of(paused, [&](const SqlRow& row) { return row.text(0) == want.kind; })) continue;
        TRY(const auto rows, session.run(select_next, {want.kind, std::min(want.most, most)}));
        for (const auto& row : rows) by_priority.emplace(row.integer(1), row.integer(0));
    }
    std::vector<std::int64_t> ids;
    for (const auto& [priority, id] : by_priority) {
        if (std::cmp_equal(ids.size(), most)) break;
        ids.push_back(id);
    }
    return ids;
}

Result<LeasedJob> lease(SqlSession& session, std::int64_t id, const std::string& worker, Micros now, Micros lease_until)
{
    TRY(auto rows, session.run(lease_job, {id, worker, lease_until, now}));
    SqlRow& row = rows.at(0);
    return LeasedJob{
        .lease = {id, row.integer(0)},
        .kind = row.take_text(1),
        .subject_id = row.integer(2),
        .parameters = row.take_text(3),
        .checkpoint = row.take_text(4),
        .attempt = static_cast<std::int32_t>(row.integer(5)),
        .most_attempts = static_cast<std::int32_t>(row.integer(6)),
    };
}

// The virtual times of the queues that one transaction puts jobs back into.
class Times {
public:
    explicit Times(SqlSession& session) : session_{session} {}

    Result<std::int64_t> turn_of(const std::string& kind, std::int64_t priority, std::int64_t turn)
    {
        const auto [known, is_new] = times_.try_emplace({kind, priority}, 0);
        if (is_new) {
            TRY(known->second, virtual_time(session_, kind, static_cast<std::int32_t>(priority)));
        }
        return std::max(known->second, turn);
    }

private:
    SqlSession& session_;
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> times_;
};

Result<> recover_expired(SqlSession& session, Micros now, Micros expired_before)
{
    Times times{session};
    TRY(const auto expired, session.run(select_expired, {expired_before, recovered_at_once}));
    for (const auto& row : expired) {
        const auto id = row.integer(0);
        if (row.integer(5) != 0) {
            TRY(auto ended, session.run(end_lost, {id, text_of(JobState::stopped), "", now}));
            CHECK(tell_end(session, ended.at(0), JobState::stopped));
        } else if (row.integer(4) + 1 >= most_losses) {
            TRY(auto ended, session.run(end_lost, {id, text_of(JobState::failed), lost_too_often, now}));
            CHECK(tell_end(session, ended.at(0), JobState::failed));
        } else {
            TRY(const auto turn, times.turn_of(row.text(1), row.integer(2), row.integer(3)));
            CHECK(session.run(wait_again, {id, turn, 1}));
        }
    }
    return {};
}

Result<> recover_due(SqlSession& session, Micros now)
{
    Times times{session};
    TRY(const auto due, session.run(select_due, {now, recovered_at_once}));
    for (const auto& row : due) {
        TRY(const auto turn, times.turn_of(row.text(1), row.integer(2), row.integer(3)));
        CHECK(session.run(wait_again, {row.integer(0), turn, 0}));
    }
    return {};
}

}  // namespace

Task<> SqlJobStore::introduce(JobWorker worker, std::vector<std::string> kinds)
{
    std::ranges::sort(kinds);
    auto work = [worker = std::move(worker), kinds = std::move(kinds)](SqlSession& session) -> Result<> {
        CHECK(session.run(delete_old_workers, {worker.started_at - worker_is_remembered}));
        CHECK(session.run(insert_worker, {worker.id, worker.host, worker.pid, worker.concurrency, worker.started_at}));
        for (const auto& kind : kinds) CHECK(session.run(insert_queue, {kind, worker.started_at}));
        return {};
    };
    co_return co_await engine_.write(Durability::process, std::move(work));
}

Task<JobLook> SqlJobStore::look(std::string worker, Micros now)
{
    const auto work = [=](SqlSession& session) -> Result<JobLook> {
        JobLook look;
        TRY(auto kinds, session.run(select_waiting_kinds));
        for (auto& row : kinds) look.waiting.push_back(row.take_text(0));
        TRY(const auto times, session.run(select_times));
        const SqlRow& row = times.front();
        if (!row.is_null(0)) look.next = row.integer(0);
        look.overdue = (look.next != 0 && look.next <= now) || (!row.is_null(1) && row.integer(1) < now);
        TRY(const auto to_stop, session.run(select_to_stop, {worker}));
        for (const auto& stopping : to_stop) look.to_stop.push_back(stopping.integer(0));
        return look;
    };
    co_return co_await engine_.read(work);
}

Task<JobStore::Exchange> SqlJobStore::exchange(
    std::string worker,
    std::vector<JobOutcome> outcomes,
    std::vector<JobWant> wants,
    std::int64_t most,
    Micros now,
    Micros lease_until
)
{
    // By id, so that no two transactions wait for each other.
    std::ranges::sort(outcomes, {}, &JobOutcome::lease);
    auto work =
        [worker = std::move(worker), outcomes = std::move(outcomes), wants = std::move(wants), most, now, lease_until](
            SqlSession& session
        ) -> Result<Exchange> {
        Exchange exchange;
        for (const auto& outcome : outcomes) {
            TRY(const bool written, write_outcome(session, outcome, now));
            if (!written) exchange.refused.push_back(outcome.lease);
        }
        if (most <= 0 || wants.empty()) return exchange;
        TRY(const auto ids, next_jobs(session, wants, most));
        for (const auto id : ids) {
            TRY(auto job, lease(session, id, worker, now, lease_until));
            exchange.leased.push_back(std::move(job));
        }
        return exchange;
    };
    co_return co_await engine_.write(Durability::durable, std::move(work));
}

Task<std::vector<JobLease>> SqlJobStore::renew(std::string worker, Micros now, Micros lease_until)
{
    const auto work = [=](SqlSession& session) -> Result<std::vector<JobLease>> {
        CHECK(session.run(note_heartbeat, {worker, now}));
        TRY(const auto rows, session.run(renew_leases, {worker, lease_until}));
        std::vector<JobLease> leases;
        for (const auto& row : rows) leases.push_back({row.integer(0), row.integer(1)});
        return leases;
    };
    co_return co_await engine_.write(Durability::process, work);
}

Task<> SqlJobStore::save(JobLease lease, std::string checkpoint, std::string progress, std::vector<JobLine> lines)
{
    auto work = [lease, checkpoint = std::move(checkpoint), progress = std::move(progress), lines = std::move(lines)](
                    SqlSession& session
                ) -> Result<> {
        TRY(const auto saved, session.run(save_checkpoint, {lease.id, lease.fence, checkpoint, progress}));
        if (saved.empty()) return lease_is_gone();
        if (lines.empty()) return {};
        CHECK(append_job_lines(session, lease, lines));
        return {};
    };
    co_return co_await engine_.write(Durability::durable, std::move(work));
}

Task<> SqlJobStore::append(JobLease lease, std::vector<JobLine> lines)
{
    auto work = [lease, lines = std::move(lines)](SqlSession& session) -> Result<> {
        TRY(const bool held, append_job_lines(session, lease, lines));
        if (!held) return lease_is_gone();
        return {};
    };
    co_return co_await engine_.write(Durability::process, std::move(work));
}

Task<> SqlJobStore::recover(Micros now, Micros expired_before)
{
    const auto work = [=](SqlSession& session) -> Result<> {
        CHECK(recover_expired(session, now, expired_before));
        return recover_due(session, now);
    };
    co_return co_await engine_.write(Durability::durable, work);
}

void SqlJobStore::on_added(std::function<void(const std::string& kind)> listener)
{
    bell_.listen(std::move(listener));
}

}  // namespace entrepot
