#include "drivers/sql/sql_job_queue.hpp"

namespace entrepot {

Task<std::vector<std::int64_t>> SqlJobQueue::add(std::vector<NewJob> jobs)
{
    const auto work = [jobs](SqlSession& session) { return add_jobs(session, jobs); };
    auto ids = co_await engine_.write(Durability::durable, work);
    if (ids) bell_.ring(jobs);
    co_return ids;
}

}  // namespace entrepot
