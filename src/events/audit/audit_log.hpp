#pragma once

#include "access/policy.hpp"
#include "core/completion.hpp"
#include "events/audit/audit_format.hpp"
#include "events/audit/gathered_pulls.hpp"
#include "events/audit/repeated_notes.hpp"
#include "ports/audit_store.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace entrepot {

// The audit trail of one instance: a chain of blocks in segments. One thread of its own writes; records that wait while
// one sync runs share the next, as one block. What was gathered is written every half second. There is always room on
// the disk for changes that were admitted; without it ready() refuses more (docs/decisions/0010-audit-segments.md).
class AuditLog final : public AuditTrail {
public:
    struct Settings {
        std::string instance;
        std::chrono::seconds retention = std::chrono::hours{24 * 365};
        std::uint64_t segment_bytes = std::uint64_t{64} << 20U;
        std::uint64_t reserve = std::uint64_t{1} << 20U;  // room for changes below which none is admitted
        std::chrono::milliseconds flush_every{500};
    };
    // What readers of the chain's end go by.
    struct Position {
        std::uint64_t segment = 0;
        std::uint64_t offset = 0;       // all before it is durable
        std::uint64_t first_block = 1;  // of the segment
        AuditHead head;
    };
    struct Counters {
        std::uint64_t records = 0, blocks = 0;  // since the start
        std::uint64_t dropped_pulls = 0, dropped_notes = 0;
        std::uint64_t room = 0;
        bool admits = false;
    };

    AuditLog(
        AuditSegments& segments,
        AuditSegmentWriter& writer,
        const AccessPolicy& policy,
        const Clock& clock,
        Settings settings
    );
    ~AuditLog() override;
    AuditLog(const AuditLog&) = delete;
    AuditLog& operator=(const AuditLog&) = delete;

    // Finds the chain's end, cuts off what was never acknowledged, and starts the thread. Blocks. A chain that does not
    // prove its own end is left as it is and goes on in a new segment; the log says so, and so will verify.
    Result<> open();
    // Writes what was gathered and ends the thread; later records answer unavailable. Blocks.
    void stop();
    // Writes what was gathered so far. Blocks.
    void flush();

    Task<> ready() override;
    Task<> record(AuditRecord record) override;
    Task<> note(AuditRecord record) override;
    void gather(AuditRecord record) noexcept override;
    void pulled(const AuditPull& pull) noexcept override
    {
        if (pulls_wanted_.load(std::memory_order_relaxed)) pulls_.add(pull);
    }
    // From now on. Safe from any thread.
    void choose(const AuditChoice& choice) noexcept;
    // Soon, segments whose records are all older than this are dropped, also where the retention would keep them; an
    // earlier time than that of a call before changes nothing. Safe from any thread.
    void drop_before(Micros time) noexcept;

    Position position() const;
    Counters counters() const;
    const std::string& instance() const noexcept { return settings_.instance; }

private:
    struct Pending {
        AuditRecord record;
        Completion<void> completion;
    };
    struct Kept {
        std::uint64_t number = 0;
        Micros created = 0;
    };
    using Batch = std::vector<Pending>;

    enum class Room { all, above_reserve };  // what a write may use of what is reserved

    void enqueue(AuditRecord record, Completion<void> completion);
    void run();
    void write(Batch batch);
    void write_gathered();
    Result<> keep_room();
    void ask_for_room(Completion<void> completion);
    void drop_old_segments();
    Result<> append(const std::vector<const AuditRecord*>& records, Room room);
    Result<> append(std::vector<AuditRecord> records, Room room);
    std::string framed(const std::vector<const AuditRecord*>& records, AuditHead& head) const;
    bool segment_is_over() const;
    Result<> begin_segment();
    void publish();

    AuditRecord own_record(std::string operation, std::string type, std::string resource) const;
    Result<> recover();
    Result<> go_on_in(const AuditSegment& segment, const AuditHeader& header, const AuditHead& head, std::uint64_t end);
    void read_kept(const std::vector<AuditSegment>& list);

    AuditSegments& segments_;
    AuditSegmentWriter& writer_;
    const AccessPolicy& policy_;
    const Clock& clock_;
    const Settings settings_;
    GatheredPulls pulls_;
    RepeatedNotes notes_;

    // The writing thread's own.
    Position at_;
    std::vector<Kept> kept_;                         // ascending; the last one is written to
    std::uint64_t first_number_ = 1;                 // of the next segment, where none is kept
    std::string header_;                             // of a segment that has no block yet
    Micros next_drop_ = 0;                           // when old segments are looked for again
    std::uint64_t told_pulls_ = 0, told_notes_ = 0;  // of the dropped ones, those that a record tells of

    bool left_out(const AuditRecord& record) const noexcept;

    std::atomic<Micros> purged_before_{0};
    std::atomic<bool> drop_soon_{false};
    std::atomic<bool> pulls_wanted_{true}, log_ins_wanted_{true}, log_outs_wanted_{true};
    std::atomic<bool> admits_{true};  // whether there is room for changes
    std::atomic<std::uint64_t> records_{0}, blocks_{0}, dropped_pulls_{0}, dropped_notes_{0}, room_{0};

    mutable std::mutex mutex_;
    std::condition_variable wake_, flushed_;
    std::deque<Pending> pending_;
    std::vector<Completion<void>> asking_;  // whether there is room
    Position published_;
    std::uint64_t flushes_wanted_ = 0, flushes_done_ = 0;
    bool stopping_ = true;  // until open()
    std::thread thread_;
};

}  // namespace entrepot
