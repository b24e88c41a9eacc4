#pragma once

#include "events/audit/audit_log.hpp"
#include "ports/audit_store.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace entrepot {

// Hands the records of this instance's chain on to a sink, in order and after they are durable here. It reads them from
// the segments, so while the other side is away nothing is held in memory and nothing is lost: the place it has come to
// is kept in a cursor. What retention drops before it was forwarded is counted. After a failure it tries again, 1 s and
// up to 30 s later. One thread of its own.
class AuditForwarder {
public:
    struct Counters {
        std::uint64_t forwarded = 0, lost = 0, failures = 0;
        std::uint64_t behind = 0;  // records
    };

    // `name` names the cursor, "syslog". Without a cursor it starts with what is recorded from now on.
    AuditForwarder(
        std::string name, AuditSegments& segments, AuditCursors& cursors, const AuditLog& log, AuditSink& sink
    );
    ~AuditForwarder();
    AuditForwarder(const AuditForwarder&) = delete;
    AuditForwarder& operator=(const AuditForwarder&) = delete;

    // After the log has been opened. Blocks.
    Result<> start();
    // Ends after the batch that is on its way. Before the log stops; what is left goes out after the next start.
    void stop();
    Counters counters() const;

private:
    struct Cursor {
        std::uint64_t segment = 0;
        std::uint64_t offset = 0;
        std::uint64_t record = 0;
    };
    Result<Cursor> load();
    Result<> save();
    void run();
    // Whether something was forwarded; false: nothing is left.
    Result<bool> step();
    Result<bool> next_segment(const AuditLog::Position& end);
    bool wait(std::chrono::milliseconds time);

    std::string name_;
    AuditSegments& segments_;
    AuditCursors& cursors_;
    const AuditLog& log_;
    AuditSink& sink_;
    Cursor cursor_;  // the thread's own
    std::atomic<std::uint64_t> forwarded_{0}, lost_{0}, failures_{0}, record_{0};
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace entrepot
