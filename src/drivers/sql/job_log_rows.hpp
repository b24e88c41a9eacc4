#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/job_store.hpp"

#include <cstdint>
#include <vector>

namespace entrepot {

// Lines of jobs' logs, in the session's own transaction.

// False: the lease is gone, and nothing was written.
Result<bool> append_job_lines(SqlSession& session, const JobLease& lease, const std::vector<JobLine>& lines);
Result<std::vector<JobLine>> job_lines(SqlSession& session, std::int64_t job_id);

}  // namespace entrepot
