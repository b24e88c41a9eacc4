#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/job_catalog.hpp"
#include "ports/job_queue.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace entrepot {

// Rows of jobs, in the session's own transaction.

std::string_view text_of(JobState state) noexcept;
Result<JobState> job_state_of(std::string_view text);

// The ids in the order of `jobs`; see JobQueue::add. When the transaction is committed, JobBell is to be rung.
Result<std::vector<std::int64_t>> add_jobs(SqlSession& session, const std::vector<NewJob>& jobs);

// The turn from which `count` waiting jobs of this tenant follow one another. Turns are virtual time: a tenant's next
// job comes after its last one, but not before those that wait already, so that a tenant who was away claims nothing of
// the past, and one with a hundred thousand jobs doesn't hold up another with one.
Result<std::int64_t> take_turns(
    SqlSession& session, const std::string& kind, std::int64_t tenant_id, std::int32_t priority, std::int64_t count
);
// The virtual time of a queue: no waiting job is to have an earlier turn.
Result<std::int64_t> virtual_time(SqlSession& session, const std::string& kind, std::int32_t priority);

// Tells this process's workers that there are jobs. Safe from any thread.
class JobBell {
public:
    void listen(std::function<void(const std::string&)> listener);
    // For each kind of `jobs` that is due at once. After COMMIT.
    void ring(const std::vector<NewJob>& jobs);
    void ring(const std::string& kind);

private:
    std::mutex mutex_;
    std::function<void(const std::string&)> listener_;
};

}  // namespace entrepot
