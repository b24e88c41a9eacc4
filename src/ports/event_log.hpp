#pragma once

#include "core/task.hpp"
#include "ports/event.hpp"
#include "ports/job_queue.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace entrepot {

// What is kept of the log: nothing before `oldest`, nothing yet after `newest`. Empty, newest is one less than oldest.
struct EventRange {
    std::int64_t oldest = 1;
    std::int64_t newest = 0;
};

// The log of all that happened: changes are written to it by the transactions that make them (drivers/sql), everything
// else by add(). Sequence numbers have no gaps and never come out of order: whoever has read up to one has missed
// nothing before it. Each method is one transaction. unavailable, storage_full.
class EventLog {
public:
    virtual ~EventLog() = default;

    // Numbers what others have committed meanwhile, so that it can be read.
    virtual Task<EventRange> settle() = 0;
    // Those after `after`, at most `limit` of them.
    virtual Task<std::vector<Event>> read(std::int64_t after, std::int64_t limit) = 0;
    // For what is no change of the store's own: pulls, runs that ended.
    virtual Task<> add(std::vector<Event> events) = 0;

    // How far a consumer has read; a new one begins at the newest event.
    virtual Task<std::int64_t> cursor(std::string consumer) = 0;
    // Moves it on and adds the jobs that the events in between ask for, in one transaction: of several instances that
    // try, one succeeds. conflict when the cursor is not at `from`.
    virtual Task<> advance(std::string consumer, std::int64_t from, std::int64_t to, std::vector<NewJob> jobs) = 0;

    // Drops the oldest events, some hundreds at a time, never the newest: those from before `read_by_all` that every
    // consumer is past, and those from before `in_any_case`. Answers how many went.
    virtual Task<std::int64_t> remove(Micros read_by_all, Micros in_any_case) = 0;
};

}  // namespace entrepot
