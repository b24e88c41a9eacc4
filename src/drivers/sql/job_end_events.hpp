#pragma once

#include "drivers/sql/sql_session.hpp"
#include "ports/job_catalog.hpp"

namespace entrepot {

// A job has ended for good: what follows the event log hears of it, where it is one of those that change artifacts and
// no dry run. To be called in the transaction of its end.
Result<> record_job_end(SqlSession& session, const Job& job);

}  // namespace entrepot
